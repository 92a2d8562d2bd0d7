/*
 * The error codes of Kafka's protocol: what an `error_code` field says.
 *
 * Another enum than the library's own codes (millstream/error.h); the two functions at the end are the only passage between them.
 * Retriable is Kafka's own word for it: the same request may succeed later, often after fresh metadata. Codes up to Kafka 4.3.
 */
#ifndef WIRE_KAFKA_ERROR_H
#define WIRE_KAFKA_ERROR_H

#include <stdbool.h>
#include <stdint.h>

/* X(code, name, retriable, text) */
#define KAFKA_ERRORS(X)                                                                                                    \
    X(-1, UNKNOWN_SERVER_ERROR, false, "the broker met an error that it did not expect")                                   \
    X(0, NONE, false, "no error")                                                                                          \
    X(1, OFFSET_OUT_OF_RANGE, false, "the offset lies before the start or beyond the end of the log")                      \
    X(2, CORRUPT_MESSAGE, true, "a record batch fails its checksum or its format")                                         \
    X(3, UNKNOWN_TOPIC_OR_PARTITION, true, "no such topic or partition on this broker")                                    \
    X(4, INVALID_FETCH_SIZE, false, "the fetch size is not valid")                                                         \
    X(5, LEADER_NOT_AVAILABLE, true, "the partition has no leader at the moment")                                          \
    X(6, NOT_LEADER_OR_FOLLOWER, true, "this broker does not lead, or does not hold, the partition")                       \
    X(7, REQUEST_TIMED_OUT, true, "the request was not complete within its time-out")                                      \
    X(8, BROKER_NOT_AVAILABLE, false, "the broker is not available")                                                       \
    X(9, REPLICA_NOT_AVAILABLE, true, "the replica is not available")                                                      \
    X(10, MESSAGE_TOO_LARGE, false, "a record batch is larger than max.message.bytes of the topic")                        \
    X(11, STALE_CONTROLLER_EPOCH, false, "the controller has moved to another broker")                                     \
    X(12, OFFSET_METADATA_TOO_LARGE, false, "the text beside a committed offset is larger than offset.metadata.max.bytes") \
    X(13, NETWORK_EXCEPTION, true, "the connection was lost before the answer came")                                       \
    X(14, COORDINATOR_LOAD_IN_PROGRESS, true, "the coordinator is still reading its state")                                \
    X(15, COORDINATOR_NOT_AVAILABLE, true, "there is no coordinator at the moment")                                        \
    X(16, NOT_COORDINATOR, true, "another broker is the coordinator")                                                      \
    X(17, INVALID_TOPIC_EXCEPTION, false, "the topic's name is not valid, or the topic must not be used like this")        \
    X(18, RECORD_LIST_TOO_LARGE, false, "a record batch is larger than segment.bytes of the topic")                        \
    X(19, NOT_ENOUGH_REPLICAS, true, "fewer replicas are in sync than min.insync.replicas; nothing was written")           \
    X(20, NOT_ENOUGH_REPLICAS_AFTER_APPEND, true, "written, but fewer replicas are in sync than min.insync.replicas")      \
    X(21, INVALID_REQUIRED_ACKS, false, "acks is none of -1, 0 and 1")                                                     \
    X(22, ILLEGAL_GENERATION, false, "the group is in another generation")                                                 \
    X(23, INCONSISTENT_GROUP_PROTOCOL, false,                                                                              \
      "the member shares no protocol with the other members of the group, or names none")                                  \
    X(24, INVALID_GROUP_ID, false, "the group id is not valid")                                                            \
    X(25, UNKNOWN_MEMBER_ID, false, "the group knows no such member")                                                      \
    X(26, INVALID_SESSION_TIMEOUT, false, "the session time-out is outside the broker's range")                            \
    X(27, REBALANCE_IN_PROGRESS, false, "the group rebalances: join again")                                                \
    X(28, INVALID_COMMIT_OFFSET_SIZE, false, "the offsets to commit do not fit into one record batch")                     \
    X(29, TOPIC_AUTHORIZATION_FAILED, false, "not allowed on this topic")                                                  \
    X(30, GROUP_AUTHORIZATION_FAILED, false, "not allowed on this group")                                                  \
    X(31, CLUSTER_AUTHORIZATION_FAILED, false, "not allowed on this cluster")                                              \
    X(32, INVALID_TIMESTAMP, false, "a record's timestamp is outside the range that the topic accepts")                    \
    X(33, UNSUPPORTED_SASL_MECHANISM, false, "the broker does not offer this SASL mechanism")                              \
    X(34, ILLEGAL_SASL_STATE, false, "the request does not fit the state of authentication")                               \
    X(35, UNSUPPORTED_VERSION, false, "the broker does not support this version of the request, or the feature is off")    \
    X(36, TOPIC_ALREADY_EXISTS, false, "a topic of this name exists")                                                      \
    X(37, INVALID_PARTITIONS, false, "the number of partitions is not valid")                                              \
    X(38, INVALID_REPLICATION_FACTOR, false, "the replication factor is below 1 or above the number of brokers")           \
    X(39, INVALID_REPLICA_ASSIGNMENT, false, "the replica assignment is not valid")                                        \
    X(40, INVALID_CONFIG, false, "a config is not valid")                                                                  \
    X(41, NOT_CONTROLLER, true, "this broker is not the controller")                                                       \
    X(42, INVALID_REQUEST, false, "the request contradicts itself or the protocol")                                        \
    X(43, UNSUPPORTED_FOR_MESSAGE_FORMAT, false, "the log's message format does not allow this request")                   \
    X(44, POLICY_VIOLATION, false, "the request violates a policy of the broker")                                          \
    X(45, OUT_OF_ORDER_SEQUENCE_NUMBER, false, "the batch is not the producer's next one")                                 \
    X(46, DUPLICATE_SEQUENCE_NUMBER, false, "the batch was written before")                                                \
    X(47, INVALID_PRODUCER_EPOCH, false, "the producer's epoch is old")                                                    \
    X(48, INVALID_TXN_STATE, false, "the transaction is not in a state for this request")                                  \
    X(49, INVALID_PRODUCER_ID_MAPPING, false, "the producer id does not belong to the transactional id")                   \
    X(50, INVALID_TRANSACTION_TIMEOUT, false, "the transaction time-out is above transaction.max.timeout.ms")              \
    X(51, CONCURRENT_TRANSACTIONS, true, "the last transaction of this producer is still being ended")                     \
    X(52, TRANSACTION_COORDINATOR_FENCED, false, "a newer transaction coordinator has taken over")                         \
    X(53, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, false, "not allowed on this transactional id")                            \
    X(54, SECURITY_DISABLED, false, "the broker runs without an authorizer")                                               \
    X(55, OPERATION_NOT_ATTEMPTED, false, "not tried because another part of the request failed")                          \
    X(56, KAFKA_STORAGE_ERROR, true, "the broker's disk failed")                                                           \
    X(57, LOG_DIR_NOT_FOUND, false, "no such log directory")                                                               \
    X(58, SASL_AUTHENTICATION_FAILED, false, "authentication failed")                                                      \
    X(59, UNKNOWN_PRODUCER_ID, false, "the broker remembers nothing of this producer id")                                  \
    X(60, REASSIGNMENT_IN_PROGRESS, false, "the partition is being reassigned")                                            \
    X(61, DELEGATION_TOKEN_AUTH_DISABLED, false, "delegation tokens are off")                                              \
    X(62, DELEGATION_TOKEN_NOT_FOUND, false, "no such delegation token")                                                   \
    X(63, DELEGATION_TOKEN_OWNER_MISMATCH, false, "the delegation token belongs to someone else")                          \
    X(64, DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, false, "delegation tokens cannot be asked for on this connection")         \
    X(65, DELEGATION_TOKEN_AUTHORIZATION_FAILED, false, "not allowed on this delegation token")                            \
    X(66, DELEGATION_TOKEN_EXPIRED, false, "the delegation token has expired")                                             \
    X(67, INVALID_PRINCIPAL_TYPE, false, "the type of principal is not supported")                                         \
    X(68, NON_EMPTY_GROUP, false, "the group has members")                                                                 \
    X(69, GROUP_ID_NOT_FOUND, false, "no such group")                                                                      \
    X(70, FETCH_SESSION_ID_NOT_FOUND, true, "no such fetch session")                                                       \
    X(71, INVALID_FETCH_SESSION_EPOCH, true, "the fetch session is at another epoch")                                      \
    X(72, LISTENER_NOT_FOUND, true, "the leader has no listener of this name")                                             \
    X(73, TOPIC_DELETION_DISABLED, false, "deleting topics is off")                                                        \
    X(74, FENCED_LEADER_EPOCH, true, "the leader epoch of the request is old")                                             \
    X(75, UNKNOWN_LEADER_EPOCH, true, "the leader epoch of the request is newer than the broker's")                        \
    X(76, UNSUPPORTED_COMPRESSION_TYPE, false, "this version of the request does not allow the batch's compression")       \
    X(77, STALE_BROKER_EPOCH, false, "the broker has registered anew")                                                     \
    X(78, OFFSET_NOT_AVAILABLE, true, "the new leader does not know its high watermark yet")                               \
    X(79, MEMBER_ID_REQUIRED, false, "join again with the member id of this answer")                                       \
    X(80, PREFERRED_LEADER_NOT_AVAILABLE, true, "the preferred leader is not available")                                   \
    X(81, GROUP_MAX_SIZE_REACHED, false, "the group is full")                                                              \
    X(82, FENCED_INSTANCE_ID, false, "another member runs under the same group.instance.id")                               \
    X(83, ELIGIBLE_LEADERS_NOT_AVAILABLE, true, "no replica may become leader at the moment")                              \
    X(84, ELECTION_NOT_NEEDED, true, "the partition has its leader")                                                       \
    X(85, NO_REASSIGNMENT_IN_PROGRESS, false, "the partition is not being reassigned")                                     \
    X(86, GROUP_SUBSCRIBED_TO_TOPIC, false, "the group still subscribes to the topic")                                     \
    X(87, INVALID_RECORD, false, "a record fails the broker's validation")                                                 \
    X(88, UNSTABLE_OFFSET_COMMIT, true, "a transaction still holds offsets of the group")                                  \
    X(89, THROTTLING_QUOTA_EXCEEDED, true, "a quota is used up")                                                           \
    X(90, PRODUCER_FENCED, false, "a newer producer has the same transactional id")                                        \
    X(91, RESOURCE_NOT_FOUND, false, "no such resource")                                                                   \
    X(92, DUPLICATE_RESOURCE, false, "the request names a resource twice")                                                 \
    X(93, UNACCEPTABLE_CREDENTIAL, false, "the credential is not acceptable")                                              \
    X(94, INCONSISTENT_VOTER_SET, false, "sender or receiver is not among the voters")                                     \
    X(95, INVALID_UPDATE_VERSION, false, "the version to update from is not the current one")                              \
    X(96, FEATURE_UPDATE_FAILED, false, "the features could not be updated")                                               \
    X(97, PRINCIPAL_DESERIALIZATION_FAILURE, false, "a forwarded principal could not be read")                             \
    X(98, SNAPSHOT_NOT_FOUND, false, "no such snapshot")                                                                   \
    X(99, POSITION_OUT_OF_RANGE, false, "the position lies outside the snapshot")                                          \
    X(100, UNKNOWN_TOPIC_ID, true, "no topic with this id on this broker")                                                 \
    X(101, DUPLICATE_BROKER_REGISTRATION, false, "a broker with this id runs already")                                     \
    X(102, BROKER_ID_NOT_REGISTERED, false, "no broker with this id is registered")                                        \
    X(103, INCONSISTENT_TOPIC_ID, true, "the log belongs to a topic of another id")                                        \
    X(104, INCONSISTENT_CLUSTER_ID, false, "this is another cluster")                                                      \
    X(105, TRANSACTIONAL_ID_NOT_FOUND, false, "no such transactional id")                                                  \
    X(106, FETCH_SESSION_TOPIC_ID_ERROR, true, "the fetch session mixes requests with and without topic ids")              \
    X(107, INELIGIBLE_REPLICA, false, "a replica may not join the in-sync set")                                            \
    X(108, NEW_LEADER_ELECTED, false, "updated, and the leader has changed")                                               \
    X(109, OFFSET_MOVED_TO_TIERED_STORAGE, false, "the offset has moved to tiered storage")                                \
    X(110, FENCED_MEMBER_EPOCH, false, "the member's epoch is fenced: give up all partitions and join again")              \
    X(111, UNRELEASED_INSTANCE_ID, false, "another member still holds this instance id")                                   \
    X(112, UNSUPPORTED_ASSIGNOR, false, "the group does not support the assignor")                                         \
    X(113, STALE_MEMBER_EPOCH, false, "the member's epoch is old: retry after the next heartbeat")                         \
    X(114, MISMATCHED_ENDPOINT_TYPE, false, "the endpoint is of the wrong type")                                           \
    X(115, UNSUPPORTED_ENDPOINT_TYPE, false, "this type of endpoint is not supported")                                     \
    X(116, UNKNOWN_CONTROLLER_ID, false, "no such controller")                                                             \
    X(117, UNKNOWN_SUBSCRIPTION_ID, false, "the telemetry subscription is unknown or old")                                 \
    X(118, TELEMETRY_TOO_LARGE, false, "the telemetry is larger than the broker accepts")                                  \
    X(119, INVALID_REGISTRATION, false, "the broker's registration is not valid")                                          \
    X(120, TRANSACTION_ABORTABLE, false, "abort the transaction and go on with the same transactional id")                 \
    X(121, INVALID_RECORD_STATE, false, "the record is not in a state to be acknowledged")                                 \
    X(122, SHARE_SESSION_NOT_FOUND, true, "no such share session")                                                         \
    X(123, INVALID_SHARE_SESSION_EPOCH, true, "the share session is at another epoch")                                     \
    X(124, FENCED_STATE_EPOCH, false, "the share group's state epoch is old")                                              \
    X(125, INVALID_VOTER_KEY, false, "the voter key is that of another replica")                                           \
    X(126, DUPLICATE_VOTER, false, "the voter is in the set already")                                                      \
    X(127, VOTER_NOT_FOUND, false, "the voter is not in the set")                                                          \
    X(128, INVALID_REGULAR_EXPRESSION, false, "the regular expression is not valid")                                       \
    X(129, REBOOTSTRAP_REQUIRED, false, "start again from bootstrap.servers")                                              \
    X(130, STREAMS_INVALID_TOPOLOGY, false, "the streams topology is not valid")                                           \
    X(131, STREAMS_INVALID_TOPOLOGY_EPOCH, false, "the streams topology's epoch is not valid")                             \
    X(132, STREAMS_TOPOLOGY_FENCED, false, "the streams topology's epoch is old")                                          \
    X(133, SHARE_SESSION_LIMIT_REACHED, true, "the broker has its maximum of share sessions")

enum kafka_error {
#define KAFKA_ERROR_ENUM(code, name, retriable, text) KAFKA_##name = code,
    KAFKA_ERRORS(KAFKA_ERROR_ENUM)
#undef KAFKA_ERROR_ENUM
};

/* "NOT_COORDINATOR"; "UNKNOWN_ERROR_CODE" for a code newer than this list. Static, as is the text. */
const char *kafka_error_name(int16_t code);
const char *kafka_error_text(int16_t code);
bool kafka_error_retriable(int16_t code); /* false for unknown codes */

/* The answer to a request that failed with `code` (MILL_E*) for a reason that has no error of its own in the protocol. */
int16_t kafka_error_from_mill(int code);

/* The MILL_E* nearest to a peer's error: 0 for NONE, MILL_EBROKER when there is no closer one. */
int kafka_error_to_mill(int16_t code);

#endif
