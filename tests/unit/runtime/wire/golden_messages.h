/*
 * Messages as Apache Kafka's own Java classes (4.3.1) encode them, one of each message and version, with random fields.
 *
 * The messages of transactions were made by GoldenMessages.java.
 *
 * `text` is the message's content in the notation of wire_print, made independently of both codecs.
 */
#ifndef TESTS_WIRE_GOLDEN_MESSAGES_H
#define TESTS_WIRE_GOLDEN_MESSAGES_H

struct golden_message {
    const char *message;
    int version;
    const char *hex;
    const char *text;
};

/* clang-format off */
static const struct golden_message GOLDEN_MESSAGES[] = {
    { "produce_request", 3,
      "0001610061800000000000000100016100000000",
      "{transactional_id=\"a\", acks=97, timeout_ms=-2147483648, topic_data=[{name=\"a\", partition_data=[]}]}" },
    { "produce_request", 4,
      "000572616e676580007fffffff0000000100056772c3bc6e00000000",
      "{transactional_id=\"range\", acks=-32768, timeout_ms=2147483647, topic_data=[{name=\"grün\", partition_data=[]}]}" },
    { "produce_request", 5,
      "000572616e67657fff7fffffff00000000",
      "{transactional_id=\"range\", acks=32767, timeout_ms=2147483647, topic_data=[]}" },
    { "produce_request", 6,
      "ffff0039000000270000000100046e6f646500000002c3c3a80effffffff00000003000000042dad1efb",
      "{transactional_id=null, acks=57, timeout_ms=39, topic_data=[{name=\"node\", partition_data=[{index=-1010587634, records="
      "null}, {index=3, records=<4 bytes>}]}]}" },
    { "produce_request", 7,
      "ffff80180000003300000000",
      "{transactional_id=null, acks=-32744, timeout_ms=51, topic_data=[]}" },
    { "produce_request", 8,
      "0003782e7980000000004c0000000100066f7264657273000000017fffffffffffffff",
      "{transactional_id=\"x.y\", acks=-32768, timeout_ms=76, topic_data=[{name=\"orders\", partition_data=[{index=2147483647, "
      "records=null}]}]}" },
    { "produce_request", 9,
      "066772c3bc6effff0000000b0100",
      "{transactional_id=\"grün\", acks=-1, timeout_ms=11, topic_data=[]}" },
    { "produce_request", 10,
      "026100340000002b0100",
      "{transactional_id=\"a\", acks=52, timeout_ms=43, topic_data=[]}" },
    { "produce_request", 11,
      "02614f33000000160302610280000000045e5f44000002610207f5a48d029a000000",
      "{transactional_id=\"a\", acks=20275, timeout_ms=22, topic_data=[{name=\"a\", partition_data=[{index=-2147483648, records"
      "=<3 bytes>}]}, {name=\"a\", partition_data=[{index=133538957, records=<1 bytes>}]}]}" },
    { "produce_request", 12,
      "04782e797fff8000000003026b030000002c000000000057000000026b02000000470360c5000000",
      "{transactional_id=\"x.y\", acks=32767, timeout_ms=-2147483648, topic_data=[{name=\"k\", partition_data=[{index=44, recor"
      "ds=null}, {index=87, records=null}]}, {name=\"k\", partition_data=[{index=71, records=<2 bytes>}]}]}" },
    { "produce_request", 13,
      "04782e79acc47fffffff0323596dfa39ff239246b4f7b1970d84ff037fffffff07165dcd08d54d007fffffff000000cf61d1deeaca2f94009e73268e"
      "c78b41030000001a00003ca069f800000000",
      "{transactional_id=\"x.y\", acks=-21308, timeout_ms=2147483647, topic_data=[{topic_id=I1lt-jn_I5JGtPexlw2E_w, partition_d"
      "ata=[{index=2147483647, records=<6 bytes>}, {index=2147483647, records=null}]}, {topic_id=z2HR3urKL5QAnnMmjseLQQ, partit"
      "ion_data=[{index=26, records=null}, {index=1017145848, records=null}]}]}" },
    { "produce_response", 3,
      "000000010007746f7069632d310000000180000000003580000000000000004d06169e8fee874e80000000",
      "{responses=[{name=\"topic-1\", partition_responses=[{index=-2147483648, error_code=53, base_offset=-9223372036854775808,"
      " log_append_time_ms=5550148461056132942}]}], throttle_time_ms=-2147483648}" },
    { "produce_response", 4,
      "0000000000000030",
      "{responses=[], throttle_time_ms=48}" },
    { "produce_response", 5,
      "0000000100066f72646572730000000203466d511f996cb2b141ac51bc9700000000000000437fffffffffffffff7fffffff00178000000000000000"
      "800000000000000080000000000000006aff8e8f",
      "{responses=[{name=\"orders\", partition_responses=[{index=54947153, error_code=8089, base_offset=7832517597572742295, lo"
      "g_append_time_ms=67, log_start_offset=9223372036854775807}, {index=2147483647, error_code=23, base_offset=-9223372036854"
      "775808, log_append_time_ms=-9223372036854775808, log_start_offset=-9223372036854775808}]}], throttle_time_ms=1795133071}" },
    { "produce_response", 6,
      "0000000100000000000100000006001200000000000000410cd661becddcc653000000000000003000000001",
      "{responses=[{name=\"\", partition_responses=[{index=6, error_code=18, base_offset=65, log_append_time_ms=925034245596694"
      "099, log_start_offset=48}]}], throttle_time_ms=1}" },
    { "produce_response", 7,
      "0000000100016100000001800000007fff7fffffffffffffff00000000000000477fffffffffffffff00000062",
      "{responses=[{name=\"a\", partition_responses=[{index=-2147483648, error_code=32767, base_offset=9223372036854775807, log"
      "_append_time_ms=71, log_start_offset=9223372036854775807}]}], throttle_time_ms=98}" },
    { "produce_response", 8,
      "0000000200036d2d3200000001800000007fff000000000000002a949d8476c97011dc7fffffffffffffff000000010000006400036d2d32ffff0000"
      "0000000000000018",
      "{responses=[{name=\"m-2\", partition_responses=[{index=-2147483648, error_code=32767, base_offset=42, log_append_time_ms"
      "=-7737882939032071716, log_start_offset=9223372036854775807, record_errors=[{batch_index=100, batch_index_error_message="
      "\"m-2\"}], error_message=null}]}, {name=\"\", partition_responses=[]}], throttle_time_ms=24}" },
    { "produce_response", 9,
      "0208746f7069632d31027fffffff8000000000000000002e7fffffffffffffff00000000000000170346198014026100000000400000026100008000"
      "000000",
      "{responses=[{name=\"topic-1\", partition_responses=[{index=2147483647, error_code=-32768, base_offset=46, log_append_tim"
      "e_ms=9223372036854775807, log_start_offset=23, record_errors=[{batch_index=1176076308, batch_index_error_message=\"a\"},"
      " {batch_index=64, batch_index_error_message=null}], error_message=\"a\"}]}], throttle_time_ms=-2147483648}" },
    { "produce_response", 10,
      "02066772c3bc6e0300000032000721c7ab80baa9b99c80000000000000007fffffffffffffff020000002f000001010009000000040000000e008000"
      "00007fff80000000000000007fffffffffffffffffffffffffffffff010000008000000001002d0380000000076f72646572738000000004782e7900"
      "00000018076f72646572737fffffff08746f7069632d3100",
      "{responses=[{name=\"grün\", partition_responses=[{index=50, error_code=7, base_offset=2434102692992891292, log_append_t"
      "ime_ms=-9223372036854775808, log_start_offset=9223372036854775807, record_errors=[{batch_index=47, batch_index_error_mes"
      "sage=null}], error_message=\"\", current_leader={leader_id=4, leader_epoch=14}}, {index=-2147483648, error_code=32767, b"
      "ase_offset=-9223372036854775808, log_append_time_ms=9223372036854775807, log_start_offset=-1, record_errors=[], error_me"
      "ssage=null}]}], throttle_time_ms=-2147483648, node_endpoints=[{node_id=-2147483648, host=\"orders\", port=-2147483648, r"
      "ack=\"x.y\"}, {node_id=24, host=\"orders\", port=2147483647, rack=\"topic-1\"}]}" },
    { "produce_response", 11,
      "0204782e7903800000008d3880000000000000007fffffffffffffff00000000000000630104782e79000000005b0e1a800000000000000000000000"
      "0000002c7fffffffffffffff02000000210000046d2d320100090000002d0000003c00000000000d00",
      "{responses=[{name=\"x.y\", partition_responses=[{index=-2147483648, error_code=-29384, base_offset=-9223372036854775808,"
      " log_append_time_ms=9223372036854775807, log_start_offset=99, record_errors=[], error_message=\"x.y\"}, {index=91, error"
      "_code=3610, base_offset=-9223372036854775808, log_append_time_ms=44, log_start_offset=9223372036854775807, record_errors"
      "=[{batch_index=33, batch_index_error_message=null}], error_message=\"m-2\", current_leader={leader_id=45, leader_epoch=6"
      "0}}]}], throttle_time_ms=13}" },
    { "produce_response", 12,
      "030102f78c102a7fff000000000000005800000000000000330000000000000029025b18c4d4026b0004782e79010009049f7755c04a609b00000672"
      "616e67650200000017004080000000000000001d05efdec706151c80000000000000000200000011026b000000007fffffff00",
      "{responses=[{name=\"\", partition_responses=[{index=-141815766, error_code=32767, base_offset=88, log_append_time_ms=51,"
      " log_start_offset=41, record_errors=[{batch_index=1528349908, batch_index_error_message=\"k\"}], error_message=\"x.y\", "
      "current_leader={leader_id=77559637, leader_epoch=-1068867429}}]}, {name=\"range\", partition_responses=[{index=23, error"
      "_code=64, base_offset=-9223372036854775808, log_append_time_ms=2091341342084306204, log_start_offset=-922337203685477580"
      "8, record_errors=[{batch_index=17, batch_index_error_message=\"k\"}], error_message=null}]}], throttle_time_ms=214748364"
      "7}" },
    { "produce_response", 13,
      "028c3613d5e0d24b45d7816b1a493280ad01008000000000",
      "{responses=[{topic_id=jDYT1eDSS0XXgWsaSTKArQ, partition_responses=[]}], throttle_time_ms=-2147483648}" },
    { "fetch_request", 4,
      "7a72b3a0474084c700000043cb8db6ab2c0000000100000000000180000000c920481309f75bbd00000055",
      "{replica_id=2054337440, max_wait_ms=1195410631, min_bytes=67, max_bytes=-879905109, isolation_level=44, topics=[{topic="
      "\"\", partitions=[{partition=-2147483648, fetch_offset=-3954081226222511171, partition_max_bytes=85}]}]}" },
    { "fetch_request", 5,
      "0b2e71d00000004e7fffffff80000000250000000200046e6f64650000000000016100000000",
      "{replica_id=187593168, max_wait_ms=78, min_bytes=2147483647, max_bytes=-2147483648, isolation_level=37, topics=[{topic="
      "\"node\", partitions=[]}, {topic=\"a\", partitions=[]}]}" },
    { "fetch_request", 6,
      "0000000e02c418a07fffffff5df694c05000000001000572616e676500000001487352c68000000000000000fffffffffffffffe00000058",
      "{replica_id=14, max_wait_ms=46405792, min_bytes=2147483647, max_bytes=1576441024, isolation_level=80, topics=[{topic=\"r"
      "ange\", partitions=[{partition=1215517382, fetch_offset=-9223372036854775808, log_start_offset=-2, partition_max_bytes=8"
      "8}]}]}" },
    { "fetch_request", 7,
      "0000005d7fffffff7fffffff8000000048000000167fffffff0000000200016b0000000180000000a76d5085bf235a2280000000000000007fffffff"
      "00066f72646572730000000100000022000000000000004fb405305bbd295bc0fffffffe0000000100036d2d320000000192ebdc32",
      "{replica_id=93, max_wait_ms=2147483647, min_bytes=2147483647, max_bytes=-2147483648, isolation_level=72, session_id=22, "
      "session_epoch=2147483647, topics=[{topic=\"k\", partitions=[{partition=-2147483648, fetch_offset=-6382356561546487262, l"
      "og_start_offset=-9223372036854775808, partition_max_bytes=2147483647}]}, {topic=\"orders\", partitions=[{partition=34, f"
      "etch_offset=79, log_start_offset=-5474916601425208384, partition_max_bytes=-2}]}], forgotten_topics_data=[{topic=\"m-2\""
      ", partitions=[-1830036430]}]}" },
    { "fetch_request", 8,
      "7fffffff0000000f423e7951000000537f53f0a39f000000150000000200000000000000036d2d320000000180000000800000000000000080000000"
      "000000001fd0920c00000000",
      "{replica_id=2147483647, max_wait_ms=15, min_bytes=1111390545, max_bytes=83, isolation_level=127, session_id=1408279455, "
      "session_epoch=21, topics=[{topic=\"\", partitions=[]}, {topic=\"m-2\", partitions=[{partition=-2147483648, fetch_offset="
      "-9223372036854775808, log_start_offset=-9223372036854775808, partition_max_bytes=533762572}]}], forgotten_topics_data=[]"
      "}" },
    { "fetch_request", 9,
      "800000000000005e0000003b000000150e0000000480000000000000010003782e79000000017fffffff0000004c7fffffffffffffff000000000000"
      "00127fffffff000000020003782e79000000000000000000020000000d00000024",
      "{replica_id=-2147483648, max_wait_ms=94, min_bytes=59, max_bytes=21, isolation_level=14, session_id=4, session_epoch=-21"
      "47483648, topics=[{topic=\"x.y\", partitions=[{partition=2147483647, current_leader_epoch=76, fetch_offset=9223372036854"
      "775807, log_start_offset=18, partition_max_bytes=2147483647}]}], forgotten_topics_data=[{topic=\"x.y\", partitions=[]}, "
      "{topic=\"\", partitions=[13, 36]}]}" },
    { "fetch_request", 10,
      "00000053800000000000003f0000002580800000000000003d0000000200036d2d320000000274b545dc0000003e7fffffffffffffff7fffffffffff"
      "ffffefb85f74000000537fffffff7fffffffffffffff00000000000000180000000c00046e6f64650000000226adbed2800000008000000000000000"
      "00000000000000250000002f0000004e1c61fd3a5a885f32992c2fa57fffffffffffffff0000001b0000000200016b00000000000161000000017fff"
      "ffff",
      "{replica_id=83, max_wait_ms=-2147483648, min_bytes=63, max_bytes=37, isolation_level=-128, session_id=-2147483648, sessi"
      "on_epoch=61, topics=[{topic=\"m-2\", partitions=[{partition=1958036956, current_leader_epoch=62, fetch_offset=9223372036"
      "854775807, log_start_offset=9223372036854775807, partition_max_bytes=-273129612}, {partition=83, current_leader_epoch=21"
      "47483647, fetch_offset=9223372036854775807, log_start_offset=24, partition_max_bytes=12}]}, {topic=\"node\", partitions="
      "[{partition=648920786, current_leader_epoch=-2147483648, fetch_offset=-9223372036854775808, log_start_offset=37, partiti"
      "on_max_bytes=47}, {partition=78, current_leader_epoch=476183866, fetch_offset=6523568731168976805, log_start_offset=9223"
      "372036854775807, partition_max_bytes=27}]}], forgotten_topics_data=[{topic=\"k\", partitions=[]}, {topic=\"a\", partitio"
      "ns=[2147483647]}]}" },
    { "fetch_request", 11,
      "48c6b5537fffffff000000117fffffff3b000000009a43bd3000000000000000000007746f7069632d31",
      "{replica_id=1220982099, max_wait_ms=2147483647, min_bytes=17, max_bytes=2147483647, isolation_level=59, session_id=0, se"
      "ssion_epoch=-1706836688, topics=[], forgotten_topics_data=[], rack_id=\"topic-1\"}" },
    { "fetch_request", 12,
      "00000053460c77b57fffffff00000005800000003d8f4bfb7f03076f726465727302e8ac2933000000527fffffffffffffff000000290631c2c7de3b"
      "a73baf0ecd2e000004782e79010002026b020000001200026100",
      "{replica_id=83, max_wait_ms=1175222197, min_bytes=2147483647, max_bytes=5, isolation_level=-128, session_id=61, session_"
      "epoch=-1890845825, topics=[{topic=\"orders\", partitions=[{partition=-391370445, current_leader_epoch=82, fetch_offset=9"
      "223372036854775807, last_fetched_epoch=41, log_start_offset=446352001769121595, partition_max_bytes=-1357984466}]}, {top"
      "ic=\"x.y\", partitions=[]}], forgotten_topics_data=[{topic=\"k\", partitions=[18]}], rack_id=\"a\"}" },
    { "fetch_request", 13,
      "00000062be6a7e000000004d800000001200000059000000260101026b01000101",
      "{cluster_id=\"\", replica_id=98, max_wait_ms=-1100317184, min_bytes=77, max_bytes=-2147483648, isolation_level=18, sessi"
      "on_id=89, session_epoch=38, topics=[], forgotten_topics_data=[], rack_id=\"k\"}" },
    { "fetch_request", 14,
      "0000002f0000003d7fffffff9d854e9f1d0000004280000000025fc19a0a98a29db56930e95600cf8a65010002aec7bac44c2d3dbe951882405165c2"
      "d4030000002e7fffffff00056e6f646500",
      "{replica_id=47, max_wait_ms=61, min_bytes=2147483647, max_bytes=-1652207969, isolation_level=29, session_id=66, session_"
      "epoch=-2147483648, topics=[{topic_id=X8GaCpiinbVpMOlWAM-KZQ, partitions=[]}], forgotten_topics_data=[{topic_id=rse6xEwtP"
      "b6VGIJAUWXC1A, partitions=[46, 2147483647]}], rack_id=\"node\"}" },
    { "fetch_request", 15,
      "7fffffff000000197fffffff800000001d7fffffff0101026101010d00000033000000000000003b00",
      "{replica_state={replica_id=51, replica_epoch=59}, max_wait_ms=2147483647, min_bytes=25, max_bytes=2147483647, isolation_"
      "level=-128, session_id=29, session_epoch=2147483647, topics=[], forgotten_topics_data=[], rack_id=\"a\"}" },
    { "fetch_request", 16,
      "7fffffff7fffffff5547cc45380000004280000000031a79dbf3c8b6c81393615ad61991d728020918f8f77fffffff80000000000000008000000000"
      "000000000000420000005000005c2f586730a3c738edb3bb702739840e025bbe2cd80000000900000000000000628000000000000000000000000000"
      "001d000002f11ef4ab439e8e65855add2b135dd5d60100076f726465727301010d80000000000000000000000b00",
      "{replica_state={replica_id=-2147483648, replica_epoch=11}, max_wait_ms=2147483647, min_bytes=2147483647, max_bytes=14307"
      "68709, isolation_level=56, session_id=66, session_epoch=-2147483648, topics=[{topic_id=Gnnb88i2yBOTYVrWGZHXKA, partition"
      "s=[{partition=152631543, current_leader_epoch=2147483647, fetch_offset=-9223372036854775808, last_fetched_epoch=-2147483"
      "648, log_start_offset=66, partition_max_bytes=80}]}, {topic_id=XC9YZzCjxzjts7twJzmEDg, partitions=[{partition=1539189976"
      ", current_leader_epoch=9, fetch_offset=98, last_fetched_epoch=-2147483648, log_start_offset=0, partition_max_bytes=29}]}"
      "], forgotten_topics_data=[{topic_id=8R70q0OejmWFWt0rE13V1g, partitions=[]}], rack_id=\"orders\"}" },
    { "fetch_request", 17,
      "000000058000000080000000610000002d800000000102b0635431ac471c55d98c1a07973fa14402ad9521f600046d2d3201000808746f7069632d31",
      "{cluster_id=\"topic-1\", max_wait_ms=5, min_bytes=-2147483648, max_bytes=-2147483648, isolation_level=97, session_id=45,"
      " session_epoch=-2147483648, topics=[], forgotten_topics_data=[{topic_id=sGNUMaxHHFXZjBoHlz-hRA, partitions=[-1382735370]"
      "}], rack_id=\"m-2\"}" },
    { "fetch_request", 18,
      "7fffffff0000004780000000368000000000000059024da58376bdd0260205b3a204d3b71c76010001066772c3bc6e01000101",
      "{cluster_id=\"\", max_wait_ms=2147483647, min_bytes=71, max_bytes=-2147483648, isolation_level=54, session_id=-214748364"
      "8, session_epoch=89, topics=[{topic_id=TaWDdr3QJgIFs6IE07ccdg, partitions=[]}], forgotten_topics_data=[], rack_id=\"grü"
      "n\"}" },
    { "fetch_response", 4,
      "0000002c00000000",
      "{throttle_time_ms=44, responses=[]}" },
    { "fetch_response", 5,
      "00000057000000010007746f7069632d3100000000",
      "{throttle_time_ms=87, responses=[{topic=\"topic-1\", partitions=[]}]}" },
    { "fetch_response", 6,
      "6f9477a0000000010007746f7069632d31000000010000000c7fff800000000000000080000000000000000000000000000013ffffffff00000004fd"
      "d964ee",
      "{throttle_time_ms=1872000928, responses=[{topic=\"topic-1\", partitions=[{partition_index=12, error_code=32767, high_wat"
      "ermark=-9223372036854775808, last_stable_offset=-9223372036854775808, log_start_offset=19, aborted_transactions=null, re"
      "cords=<4 bytes>}]}]}" },
    { "fetch_response", 7,
      "8000000048410000005a0000000100066f7264657273000000018000000000417fffffffffffffff7fffffffffffffff000000000000000300000000"
      "00000007381e15b5f81aa7",
      "{throttle_time_ms=-2147483648, error_code=18497, session_id=90, responses=[{topic=\"orders\", partitions=[{partition_ind"
      "ex=-2147483648, error_code=65, high_watermark=9223372036854775807, last_stable_offset=9223372036854775807, log_start_off"
      "set=3, aborted_transactions=[], records=<7 bytes>}]}]}" },
    { "fetch_response", 8,
      "80000000e9777fffffff00000001000572616e676500000000",
      "{throttle_time_ms=-2147483648, error_code=-5769, session_id=2147483647, responses=[{topic=\"range\", partitions=[]}]}" },
    { "fetch_response", 9,
      "8000000093a37fffffff00000000",
      "{throttle_time_ms=-2147483648, error_code=-27741, session_id=2147483647, responses=[]}" },
    { "fetch_response", 10,
      "80000000002b000000360000000100066f7264657273000000021da9a6f400147fffffffffffffff0000000000000057f3d4cb61901c5f5900000001"
      "000000000000002ef790510c16c952ce0000000551018652ce7fffffff004b9bdf393eb76f0056cf227da27ea8bab77fffffffffffffffffffffff00"
      "000003eee051",
      "{throttle_time_ms=-2147483648, error_code=43, session_id=54, responses=[{topic=\"orders\", partitions=[{partition_index="
      "497657588, error_code=20, high_watermark=9223372036854775807, last_stable_offset=87, log_start_offset=-87685240754035933"
      "5, aborted_transactions=[{producer_id=46, first_offset=-607896837331266866}], records=<5 bytes>}, {partition_index=21474"
      "83647, error_code=75, high_watermark=-7214985136495984554, last_stable_offset=-3521113821787145545, log_start_offset=922"
      "3372036854775807, aborted_transactions=null, records=<3 bytes>}]}]}" },
    { "fetch_response", 11,
      "80000000e0117fffffff00000001000572616e67650000000280000000001e000000000000005a7fffffffffffffff8000000000000000000000018b"
      "5fd3d0d52fda93000000000000005a7fffffff00000008bd79b9b288f50c5320a99477ffff000000000000002500000000000000487fffffffffffff"
      "ffffffffff8000000000000006f453c82c2a8e",
      "{throttle_time_ms=-2147483648, error_code=-8175, session_id=2147483647, responses=[{topic=\"range\", partitions=[{partit"
      "ion_index=-2147483648, error_code=30, high_watermark=90, last_stable_offset=9223372036854775807, log_start_offset=-92233"
      "72036854775808, aborted_transactions=[{producer_id=-8403765485766714733, first_offset=90}], preferred_read_replica=21474"
      "83647, records=<8 bytes>}, {partition_index=547984503, error_code=-1, high_watermark=37, last_stable_offset=72, log_star"
      "t_offset=9223372036854775807, aborted_transactions=null, preferred_read_replica=-2147483648, records=<6 bytes>}]}]}" },
    { "fetch_response", 12,
      "0000001f7fff8000000002076f72646572730243b34c6c0057c1bf9fc306fa8b9533338ce6f4adec4bd9ca1bd013aa1a61037fffffffffffffff0000"
      "000000000023007fffffffffffffff7fffffffffffffff007fffffff0002000df50f9e027fffffffffffffff00020d00000000000000350000005300"
      "0000",
      "{throttle_time_ms=31, error_code=32767, session_id=-2147483648, responses=[{topic=\"orders\", partitions=[{partition_ind"
      "ex=1135823980, error_code=87, high_watermark=-4485691043853202539, last_stable_offset=3689447443321973835, log_start_off"
      "set=-2753357641686574495, diverging_epoch={epoch=-183525886, end_offset=9223372036854775807}, snapshot_id={end_offset=53"
      ", epoch=83}, aborted_transactions=[{producer_id=9223372036854775807, first_offset=35}, {producer_id=9223372036854775807,"
      " first_offset=9223372036854775807}], preferred_read_replica=2147483647, records=null}]}]}" },
    { "fetch_response", 13,
      "000000617fffd94d01e202d400548f86831f5b440d7909e70b84aa02f6a8ebf4002a7fffffffffffffff000000000000003c00000000000000050000"
      "00001b0003000d7fffffff7fffffffffffffff000109800000000000004c00020d7fffffffffffffff00000023000000",
      "{throttle_time_ms=97, error_code=32767, session_id=-649264670, responses=[{topic_id=1ABUj4aDH1tEDXkJ5wuEqg, partitions=["
      "{partition_index=-156701708, error_code=42, high_watermark=9223372036854775807, last_stable_offset=60, log_start_offset="
      "5, diverging_epoch={epoch=2147483647, end_offset=9223372036854775807}, current_leader={leader_id=-2147483648, leader_epo"
      "ch=76}, snapshot_id={end_offset=9223372036854775807, epoch=35}, aborted_transactions=null, preferred_read_replica=27, re"
      "cords=null}]}]}" },
    { "fetch_response", 14,
      "7fffffff80000000006103b0156cd5f881ac5f9c1563f0b084fb09023812a074001d000000000000002f00000000000000144e5f07f60540e0e50271"
      "5814dc2df63a840000000000000045007fffffff0603b669fcc302000d00000058000000000000005a000109000000417fffffff000039243e612ab0"
      "360fa0f6059c977378b302000000237fff000000000000002d7fffffffffffffff00000000000000360237ec8ba14ee258dd1d8645540bfbecf80000"
      "00004f096cac8f45cc65e73301000d800000009af27eb1800d2ea8000000",
      "{throttle_time_ms=2147483647, error_code=-32768, session_id=97, responses=[{topic_id=sBVs1fiBrF-cFWPwsIT7CQ, partitions="
      "[{partition_index=940744820, error_code=29, high_watermark=47, last_stable_offset=20, log_start_offset=56472412109773785"
      "33, diverging_epoch={epoch=88, end_offset=90}, current_leader={leader_id=65, leader_epoch=2147483647}, aborted_transacti"
      "ons=[{producer_id=8167300860132866692, first_offset=69}], preferred_read_replica=2147483647, records=<5 bytes>}]}, {topi"
      "c_id=OSQ-YSqwNg-g9gWcl3N4sw, partitions=[{partition_index=35, error_code=32767, high_watermark=45, last_stable_offset=92"
      "23372036854775807, log_start_offset=54, diverging_epoch={epoch=-2147483648, end_offset=-7281618346682011992}, aborted_tr"
      "ansactions=[{producer_id=4029749291519203549, first_offset=2127464101259767032}], preferred_read_replica=79, records=<8 "
      "bytes>}]}]}" },
    { "fetch_response", 15,
      "7fffffff7fff80000000035bd82808ff35663388f29705de9b8b87027fffffff0044000000000000002a000000000000004a7fffffffffffffff027f"
      "ffffffffffffff7fffffffffffffff002db4983209f0757e5bd8fc1fa402010981c4ae9b0000003e00020d000000000000005b000000080000f559b6"
      "2eb410f91346322eee95f31891010000",
      "{throttle_time_ms=2147483647, error_code=32767, session_id=-2147483648, responses=[{topic_id=W9goCP81ZjOI8pcF3puLhw, par"
      "titions=[{partition_index=2147483647, error_code=68, high_watermark=42, last_stable_offset=74, log_start_offset=92233720"
      "36854775807, current_leader={leader_id=-2117816677, leader_epoch=62}, snapshot_id={end_offset=91, epoch=8}, aborted_tran"
      "sactions=[{producer_id=9223372036854775807, first_offset=9223372036854775807}], preferred_read_replica=766810162, record"
      "s=<8 bytes>}]}, {topic_id=9Vm2LrQQ-RNGMi7ulfMYkQ, partitions=[]}]}" },
    { "fetch_response", 16,
      "8000000080000000002c0100",
      "{throttle_time_ms=-2147483648, error_code=-32768, session_id=44, responses=[]}" },
    { "fetch_response", 17,
      "0000003600130000000e02bc4a00aa1a2c561e17275e08e781ee8f0209db597b80007fffffffffffffff800000000000000080000000000000000300"
      "00000000000012000000000000001900800000000000000049315cf0c08b16df00000000440001000d7fffffff000000000000001700000100130200"
      "00001f076f72646572737fffffff026100",
      "{throttle_time_ms=54, error_code=19, session_id=14, responses=[{topic_id=vEoAqhosVh4XJ14I54Hujw, partitions=[{partition_"
      "index=165370235, error_code=-32768, high_watermark=9223372036854775807, last_stable_offset=-9223372036854775808, log_sta"
      "rt_offset=-9223372036854775808, diverging_epoch={epoch=2147483647, end_offset=23}, aborted_transactions=[{producer_id=18"
      ", first_offset=25}, {producer_id=-9223372036854775808, first_offset=5274098827719808735}], preferred_read_replica=68, re"
      "cords=null}]}], node_endpoints=[{node_id=31, host=\"orders\", port=2147483647, rack=\"a\"}]}" },
    { "fetch_response", 18,
      "8000000064e1000000640100",
      "{throttle_time_ms=-2147483648, error_code=25825, session_id=100, responses=[]}" },
    { "list_offsets_request", 1,
      "35712e9e00000000",
      "{replica_id=896609950, topics=[]}" },
    { "list_offsets_request", 2,
      "7fffffff4800000000",
      "{replica_id=2147483647, isolation_level=72, topics=[]}" },
    { "list_offsets_request", 3,
      "7fffffff1f0000000100036d2d3200000000",
      "{replica_id=2147483647, isolation_level=31, topics=[{name=\"m-2\", partitions=[]}]}" },
    { "list_offsets_request", 4,
      "80000000800000000100056772c3bc6e0000000180000000000000010000000000000042",
      "{replica_id=-2147483648, isolation_level=-128, topics=[{name=\"grün\", partitions=[{partition_index=-2147483648, curren"
      "t_leader_epoch=1, timestamp=66}]}]}" },
    { "list_offsets_request", 5,
      "0000005f140000000200016b000000018000000080000000ae0e74461bc019be000572616e6765000000015da1cf40cc1a9e3d65e85933053babfd",
      "{replica_id=95, isolation_level=20, topics=[{name=\"k\", partitions=[{partition_index=-2147483648, current_leader_epoch="
      "-2147483648, timestamp=-5904654216974034498}]}, {name=\"range\", partitions=[{partition_index=1570885440, current_leader"
      "_epoch=-870670787, timestamp=7343217268093594621}]}]}" },
    { "list_offsets_request", 6,
      "3bde4e683702056e6f6465010000",
      "{replica_id=1004424808, isolation_level=55, topics=[{name=\"node\", partitions=[]}]}" },
    { "list_offsets_request", 7,
      "00000041f1020261020000005e800000008000000000000000000000",
      "{replica_id=65, isolation_level=-15, topics=[{name=\"a\", partitions=[{partition_index=94, current_leader_epoch=-2147483"
      "648, timestamp=-9223372036854775808}]}]}" },
    { "list_offsets_request", 8,
      "06b9bf605003026b02000000558000000080000000000000000000076f72646572730288c57f4d36fc3814fffffffffffffffd000000",
      "{replica_id=112836448, isolation_level=80, topics=[{name=\"k\", partitions=[{partition_index=85, current_leader_epoch=-2"
      "147483648, timestamp=-9223372036854775808}]}, {name=\"orders\", partitions=[{partition_index=-2000322739, current_leader"
      "_epoch=922499092, timestamp=-3}]}]}" },
    { "list_offsets_request", 9,
      "800000000e02026b010000",
      "{replica_id=-2147483648, isolation_level=14, topics=[{name=\"k\", partitions=[]}]}" },
    { "list_offsets_request", 10,
      "6582bb767f0204782e7902773853640000001a800000000000000000000000003f00",
      "{replica_id=1703066486, isolation_level=127, topics=[{name=\"x.y\", partitions=[{partition_index=2000180068, current_lea"
      "der_epoch=26, timestamp=-9223372036854775808}]}], timeout_ms=63}" },
    { "list_offsets_request", 11,
      "000000487f0304782e790280000000f7433dd9b8d8adb4e88b6b3b0000046d2d3203a87c6f8c951bf80a0000000000000042000000001a8000000000"
      "0000000000003a00008000000000",
      "{replica_id=72, isolation_level=127, topics=[{name=\"x.y\", partitions=[{partition_index=-2147483648, current_leader_epo"
      "ch=-146588199, timestamp=-5127157183254140101}]}, {name=\"m-2\", partitions=[{partition_index=-1468239988, current_leade"
      "r_epoch=-1793329142, timestamp=66}, {partition_index=26, current_leader_epoch=-2147483648, timestamp=58}]}], timeout_ms="
      "-2147483648}" },
    { "list_offsets_response", 1,
      "000000010003782e7900000000",
      "{topics=[{name=\"x.y\", partitions=[]}]}" },
    { "list_offsets_response", 2,
      "fffffffd0000000100046e6f646500000002000000566a3fa5ae06b41db9d1d77fffffffffffffff8000000000148000000000000000800000000000"
      "0000",
      "{throttle_time_ms=-3, topics=[{name=\"node\", partitions=[{partition_index=86, error_code=27199, timestamp=-650825704084"
      "1190953, offset=9223372036854775807}, {partition_index=-2147483648, error_code=20, timestamp=-9223372036854775808, offse"
      "t=-9223372036854775808}]}]}" },
    { "list_offsets_response", 3,
      "000000130000000200066f7264657273000000010000003b000b000000000000003df913effc987b518600046e6f646500000002045e2d9e80000000"
      "000000000013000000000000001a0000005dc01d8000000000000000000000000000003c",
      "{throttle_time_ms=19, topics=[{name=\"orders\", partitions=[{partition_index=59, error_code=11, timestamp=61, offset=-49"
      "8791265538977402}]}, {name=\"node\", partitions=[{partition_index=73280926, error_code=-32768, timestamp=19, offset=26},"
      " {partition_index=93, error_code=-16355, timestamp=-9223372036854775808, offset=60}]}]}" },
    { "list_offsets_response", 4,
      "763ebbac00000000",
      "{throttle_time_ms=1983822764, topics=[]}" },
    { "list_offsets_response", 5,
      "800000000000000100066f7264657273000000017fffffff8000000000000000003a7fffffffffffffff00000043",
      "{throttle_time_ms=-2147483648, topics=[{name=\"orders\", partitions=[{partition_index=2147483647, error_code=-32768, tim"
      "estamp=58, offset=9223372036854775807, leader_epoch=67}]}]}" },
    { "list_offsets_response", 6,
      "2ebe20ef02026b020000000f7fff8000000000000000000000000000000200000005000000",
      "{throttle_time_ms=784212207, topics=[{name=\"k\", partitions=[{partition_index=15, error_code=32767, timestamp=-92233720"
      "36854775808, offset=2, leader_epoch=5}]}]}" },
    { "list_offsets_response", 7,
      "d06af13f0204782e79010000",
      "{throttle_time_ms=-798297793, topics=[{name=\"x.y\", partitions=[]}]}" },
    { "list_offsets_response", 8,
      "7fffffff0100",
      "{throttle_time_ms=2147483647, topics=[]}" },
    { "list_offsets_response", 9,
      "000000510204782e79037fffffff003b16f95393e96fdc977fffffffffffffff800000000080000000004a0000000000000056800000000000000080"
      "000000000000",
      "{throttle_time_ms=81, topics=[{name=\"x.y\", partitions=[{partition_index=2147483647, error_code=59, timestamp=165544623"
      "2777088151, offset=9223372036854775807, leader_epoch=-2147483648}, {partition_index=-2147483648, error_code=74, timestam"
      "p=86, offset=-9223372036854775808, leader_epoch=-2147483648}]}]}" },
    { "list_offsets_response", 10,
      "d46bbd7103026b010001010000",
      "{throttle_time_ms=-731136655, topics=[{name=\"k\", partitions=[]}, {name=\"\", partitions=[]}]}" },
    { "list_offsets_response", 11,
      "0000004d02056e6f6465010000",
      "{throttle_time_ms=77, topics=[{name=\"node\", partitions=[]}]}" },
    { "metadata_request", 0,
      "00000000",
      "{topics=[]}" },
    { "metadata_request", 1,
      "00000000",
      "{topics=[]}" },
    { "metadata_request", 2,
      "ffffffff",
      "{topics=null}" },
    { "metadata_request", 3,
      "00000000",
      "{topics=[]}" },
    { "metadata_request", 4,
      "ffffffff00",
      "{topics=null, allow_auto_topic_creation=false}" },
    { "metadata_request", 5,
      "0000000200066f7264657273000001",
      "{topics=[{name=\"orders\"}, {name=\"\"}], allow_auto_topic_creation=true}" },
    { "metadata_request", 6,
      "000000010007746f7069632d3100",
      "{topics=[{name=\"topic-1\"}], allow_auto_topic_creation=false}" },
    { "metadata_request", 7,
      "0000000100046e6f646500",
      "{topics=[{name=\"node\"}], allow_auto_topic_creation=false}" },
    { "metadata_request", 8,
      "0000000200066f726465727300056772c3bc6e000101",
      "{topics=[{name=\"orders\"}, {name=\"grün\"}], allow_auto_topic_creation=false, include_cluster_authorized_operations=tr"
      "ue, include_topic_authorized_operations=true}" },
    { "metadata_request", 9,
      "02046d2d320000010000",
      "{topics=[{name=\"m-2\"}], allow_auto_topic_creation=false, include_cluster_authorized_operations=true, include_topic_aut"
      "horized_operations=false}" },
    { "metadata_request", 10,
      "028fc1e94715db4ebfc77d37c32c6c4798026b0001010000",
      "{topics=[{topic_id=j8HpRxXbTr_HfTfDLGxHmA, name=\"k\"}], allow_auto_topic_creation=true, include_cluster_authorized_oper"
      "ations=true, include_topic_authorized_operations=false}" },
    { "metadata_request", 11,
      "0298c66e04db2970190f086a002df147d1026b00000100",
      "{topics=[{topic_id=mMZuBNspcBkPCGoALfFH0Q, name=\"k\"}], allow_auto_topic_creation=false, include_topic_authorized_opera"
      "tions=true}" },
    { "metadata_request", 12,
      "02dff38e53361ce0bd923f5abc7a7339fc066772c3bc6e00000100",
      "{topics=[{topic_id=3_OOUzYc4L2SP1q8enM5_A, name=\"grün\"}], allow_auto_topic_creation=false, include_topic_authorized_o"
      "perations=true}" },
    { "metadata_request", 13,
      "00010000",
      "{topics=null, allow_auto_topic_creation=true, include_topic_authorized_operations=false}" },
    { "metadata_response", 0,
      "000000020000003c00016185fbd3518000000000000000004d0000000100350000000000018000b89e6fe856cccb40000000018000000000000000",
      "{brokers=[{node_id=60, host=\"a\", port=-2047093935}, {node_id=-2147483648, host=\"\", port=77}], topics=[{error_code=53"
      ", name=\"\", partitions=[{error_code=-32768, partition_index=-1197576216, leader_id=1456261952, replica_nodes=[-21474836"
      "48], isr_nodes=[]}]}]}" },
    { "metadata_response", 1,
      "000000017fffffff00056772c3bc6e7fffffff00016b0000006300000001006300066f72646572730100000000",
      "{brokers=[{node_id=2147483647, host=\"grün\", port=2147483647, rack=\"k\"}], controller_id=99, topics=[{error_code=99, "
      "name=\"orders\", is_internal=true, partitions=[]}]}" },
    { "metadata_response", 2,
      "000000017fffffff00056772c3bc6e7fffffff000572616e6765ffff5213947e00000001004b00066f72646572730100000000",
      "{brokers=[{node_id=2147483647, host=\"grün\", port=2147483647, rack=\"range\"}], cluster_id=null, controller_id=1377014"
      "910, topics=[{error_code=75, name=\"orders\", is_internal=true, partitions=[]}]}" },
    { "metadata_response", 3,
      "9116e8e40000000000016b0000003500000001000b000572616e6765000000000185f67fffffff0000005f00000001800000000000000180000000",
      "{throttle_time_ms=-1860769564, brokers=[], cluster_id=\"k\", controller_id=53, topics=[{error_code=11, name=\"range\", i"
      "s_internal=false, partitions=[{error_code=-31242, partition_index=2147483647, leader_id=95, replica_nodes=[-2147483648],"
      " isr_nodes=[-2147483648]}]}]}" },
    { "metadata_response", 4,
      "00000028000000017fffffff00046e6f646580000000ffff00016171130dd000000000",
      "{throttle_time_ms=40, brokers=[{node_id=2147483647, host=\"node\", port=-2147483648, rack=null}], cluster_id=\"a\", cont"
      "roller_id=1897074128, topics=[]}" },
    { "metadata_response", 5,
      "7fffffff000000010000000600036d2d327fffffff0007746f7069632d310001617fffffff00000001000d0001610100000000",
      "{throttle_time_ms=2147483647, brokers=[{node_id=6, host=\"m-2\", port=2147483647, rack=\"topic-1\"}], cluster_id=\"a\", "
      "controller_id=2147483647, topics=[{error_code=13, name=\"a\", is_internal=true, partitions=[]}]}" },
    { "metadata_response", 6,
      "7fffffff00000000000572616e6765de32b5a1000000017fff0007746f7069632d31000000000100487fffffff7fffffff000000017fffffff000000"
      "00000000010000001d",
      "{throttle_time_ms=2147483647, brokers=[], cluster_id=\"range\", controller_id=-567102047, topics=[{error_code=32767, nam"
      "e=\"topic-1\", is_internal=false, partitions=[{error_code=72, partition_index=2147483647, leader_id=2147483647, replica_"
      "nodes=[2147483647], isr_nodes=[], offline_replicas=[29]}]}]}" },
    { "metadata_response", 7,
      "aad5f9de000000010000004b00008000000000056772c3bc6e0001611bcc1fc400000000",
      "{throttle_time_ms=-1428817442, brokers=[{node_id=75, host=\"\", port=-2147483648, rack=\"grün\"}], cluster_id=\"a\", co"
      "ntroller_id=466362308, topics=[]}" },
    { "metadata_response", 8,
      "7fffffff000000020000000d00056772c3bc6e000000540003782e7980000000000572616e67658000000000016b0001617fffffff00000002e2e100"
      "016b0100000001004201dc9690800000007fffffff0000000100000048000000020000000750bf5d650000000100000014e6ce303989dd00066f7264"
      "6572730100000000800000000000000d",
      "{throttle_time_ms=2147483647, brokers=[{node_id=13, host=\"grün\", port=84, rack=\"x.y\"}, {node_id=-2147483648, host="
      "\"range\", port=-2147483648, rack=\"k\"}], cluster_id=\"a\", controller_id=2147483647, topics=[{error_code=-7455, name="
      "\"k\", is_internal=true, partitions=[{error_code=66, partition_index=31233680, leader_id=-2147483648, leader_epoch=21474"
      "83647, replica_nodes=[72], isr_nodes=[7, 1354718565], offline_replicas=[20]}], topic_authorized_operations=-422694855}, "
      "{error_code=-30243, name=\"orders\", is_internal=true, partitions=[], topic_authorized_operations=-2147483648}], cluster"
      "_authorized_operations=13}" },
    { "metadata_response", 9,
      "00000006021e2f59fe010000003c026b00010000000102002102610102003d000000550000001a7fffffff0317a57dc87fffffff027fffffff010080"
      "000000008000000000",
      "{throttle_time_ms=6, brokers=[{node_id=506419710, host=\"\", port=60, rack=\"k\"}], cluster_id=\"\", controller_id=1, to"
      "pics=[{error_code=33, name=\"a\", is_internal=true, partitions=[{error_code=61, partition_index=85, leader_id=26, leader"
      "_epoch=2147483647, replica_nodes=[396721608, 2147483647], isr_nodes=[2147483647], offline_replicas=[]}], topic_authorize"
      "d_operations=-2147483648}], cluster_authorized_operations=-2147483648}" },
    { "metadata_response", 10,
      "8000000002533d5ee7056e6f646580000000046d2d320002617d78d4e1018000000000",
      "{throttle_time_ms=-2147483648, brokers=[{node_id=1396530919, host=\"node\", port=-2147483648, rack=\"m-2\"}], cluster_id"
      "=\"a\", controller_id=2105070817, topics=[], cluster_authorized_operations=-2147483648}" },
    { "metadata_response", 11,
      "80000000020000000a026b00000000026b00000000005a0100",
      "{throttle_time_ms=-2147483648, brokers=[{node_id=10, host=\"k\", port=0, rack=\"k\"}], cluster_id=null, controller_id=90"
      ", topics=[]}" },
    { "metadata_response", 12,
      "800000000200000019056e6f64658000000004782e790004782e79000000520200300261d5934e84844b1af7518ae3a765a21b4b01010000004c0000",
      "{throttle_time_ms=-2147483648, brokers=[{node_id=25, host=\"node\", port=-2147483648, rack=\"x.y\"}], cluster_id=\"x.y\""
      ", controller_id=82, topics=[{error_code=48, name=\"a\", topic_id=1ZNOhIRLGvdRiuOnZaIbSw, is_internal=true, partitions=[]"
      ", topic_authorized_operations=76}]}" },
    { "metadata_response", 13,
      "000000330108746f7069632d318000000003004d0672616e676554af7be4021645cd18283d5aaa7ece1a01027fff0bbab259800000007fffffff0102"
      "800000000100800000000080000672616e6765b3407a80ff2b2b798def444dca0764cc0103452b0000003c800000000000004c01028000000001007f"
      "ff7fffffff132e09010000001103ff82be4163ad7dec020000005e01007fffffff00ea5300",
      "{throttle_time_ms=51, brokers=[], cluster_id=\"topic-1\", controller_id=-2147483648, topics=[{error_code=77, name=\"rang"
      "e\", topic_id=VK975AIWRc0YKD1aqn7OGg, is_internal=true, partitions=[{error_code=32767, partition_index=196784729, leader"
      "_id=-2147483648, leader_epoch=2147483647, replica_nodes=[], isr_nodes=[-2147483648], offline_replicas=[]}], topic_author"
      "ized_operations=-2147483648}, {error_code=-32768, name=\"range\", topic_id=s0B6gP8rK3mN70RNygdkzA, is_internal=true, par"
      "titions=[{error_code=17707, partition_index=60, leader_id=-2147483648, leader_epoch=76, replica_nodes=[], isr_nodes=[-21"
      "47483648], offline_replicas=[]}, {error_code=32767, partition_index=2147483647, leader_id=321784065, leader_epoch=17, re"
      "plica_nodes=[-8208831, 1672314348], isr_nodes=[94], offline_replicas=[]}], topic_authorized_operations=2147483647}], err"
      "or_code=-5549}" },
    { "offset_commit_request", 2,
      "000161cbb666e300003e7c9521d7177d430000000100016b0000000180000000495597f8372c335d000572616e6765",
      "{group_id=\"a\", generation_id_or_member_epoch=-877238557, member_id=\"\", retention_time_ms=4502637700038753603, topics"
      "=[{name=\"k\", partitions=[{partition_index=-2147483648, committed_offset=5284296830122472285, committed_metadata=\"rang"
      "e\"}]}]}" },
    { "offset_commit_request", 3,
      "00056772c3bc6e0000004800056772c3bc6e00000000000000060000000100036d2d32000000012082890b000000000000003affff",
      "{group_id=\"grün\", generation_id_or_member_epoch=72, member_id=\"grün\", retention_time_ms=6, topics=[{name=\"m-2\", "
      "partitions=[{partition_index=545425675, committed_offset=58, committed_metadata=null}]}]}" },
    { "offset_commit_request", 4,
      "00008000000000066f726465727300000000000000390000000200016b00000001cc3739498000000000000000000161000161000000029febd66977"
      "832519df19f350ffff0000006480000000000000000003782e79",
      "{group_id=\"\", generation_id_or_member_epoch=-2147483648, member_id=\"orders\", retention_time_ms=57, topics=[{name=\"k"
      "\", partitions=[{partition_index=-868796087, committed_offset=-9223372036854775808, committed_metadata=\"a\"}]}, {name="
      "\"a\", partitions=[{partition_index=-1611934103, committed_offset=8611767705509950288, committed_metadata=null}, {partit"
      "ion_index=100, committed_offset=-9223372036854775808, committed_metadata=\"x.y\"}]}]}" },
    { "offset_commit_request", 5,
      "0001617fffffff0001610000000100066f726465727300000002a2b5f6e780000000000000000007746f7069632d3180000000800000000000000000"
      "046e6f6465",
      "{group_id=\"a\", generation_id_or_member_epoch=2147483647, member_id=\"a\", topics=[{name=\"orders\", partitions=[{parti"
      "tion_index=-1565133081, committed_offset=-9223372036854775808, committed_metadata=\"topic-1\"}, {partition_index=-214748"
      "3648, committed_offset=-9223372036854775808, committed_metadata=\"node\"}]}]}" },
    { "offset_commit_request", 6,
      "00036d2d322737ec9b0003782e7900000000",
      "{group_id=\"m-2\", generation_id_or_member_epoch=657976475, member_id=\"x.y\", topics=[]}" },
    { "offset_commit_request", 7,
      "0003782e79b074db54000000016b0000000200000000000000066f726465727300000000",
      "{group_id=\"x.y\", generation_id_or_member_epoch=-1334518956, member_id=\"\", group_instance_id=\"k\", topics=[{name=\""
      "\", partitions=[]}, {name=\"orders\", partitions=[]}]}" },
    { "offset_commit_request", 8,
      "026b80000000056e6f6465066772c3bc6e0100",
      "{group_id=\"k\", generation_id_or_member_epoch=-2147483648, member_id=\"node\", group_instance_id=\"grün\", topics=[]}" },
    { "offset_commit_request", 9,
      "026b7fffffff076f72646572730672616e6765020672616e676502000000040000000000000051000000590672616e6765000000",
      "{group_id=\"k\", generation_id_or_member_epoch=2147483647, member_id=\"orders\", group_instance_id=\"range\", topics=[{n"
      "ame=\"range\", partitions=[{partition_index=4, committed_offset=81, committed_leader_epoch=89, committed_metadata=\"rang"
      "e\"}]}]}" },
    { "offset_commit_request", 10,
      "08746f7069632d31e80d92d0026b0261030cfc7afcd101954db63c1a8e30705bd302b84af5f800000000000000480000004c0000003653adb7aeb55d"
      "e3d65c89e1ba536a3102ce9931bc7fffffffffffffff7fffffff0672616e6765000000",
      "{group_id=\"topic-1\", generation_id_or_member_epoch=-401763632, member_id=\"k\", group_instance_id=\"a\", topics=[{topi"
      "c_id=DPx6_NEBlU22PBqOMHBb0w, partitions=[{partition_index=-1203046920, committed_offset=72, committed_leader_epoch=76, c"
      "ommitted_metadata=null}]}, {topic_id=NlOtt661XePWXInhulNqMQ, partitions=[{partition_index=-828821060, committed_offset=9"
      "223372036854775807, committed_leader_epoch=2147483647, committed_metadata=\"range\"}]}]}" },
    { "offset_commit_response", 2,
      "00000000",
      "{topics=[]}" },
    { "offset_commit_response", 3,
      "7fffffff0000000200056772c3bc6e000000010000003200520003782e7900000001000000530062",
      "{throttle_time_ms=2147483647, topics=[{name=\"grün\", partitions=[{partition_index=50, error_code=82}]}, {name=\"x.y\","
      " partitions=[{partition_index=83, error_code=98}]}]}" },
    { "offset_commit_response", 4,
      "0000003a00000000",
      "{throttle_time_ms=58, topics=[]}" },
    { "offset_commit_response", 5,
      "7fffffff000000010007746f7069632d31000000017fffffffd890",
      "{throttle_time_ms=2147483647, topics=[{name=\"topic-1\", partitions=[{partition_index=2147483647, error_code=-10096}]}]}" },
    { "offset_commit_response", 6,
      "8000000000000001000572616e676500000001fffffffe7fff",
      "{throttle_time_ms=-2147483648, topics=[{name=\"range\", partitions=[{partition_index=-2, error_code=32767}]}]}" },
    { "offset_commit_response", 7,
      "6508a418000000010000000000010000004a7fff",
      "{throttle_time_ms=1695065112, topics=[{name=\"\", partitions=[{partition_index=74, error_code=32767}]}]}" },
    { "offset_commit_response", 8,
      "00000007020102000000497fff000000",
      "{throttle_time_ms=7, topics=[{name=\"\", partitions=[{partition_index=73, error_code=32767}]}]}" },
    { "offset_commit_response", 9,
      "7fffffff02076f7264657273027fffffff4293000000",
      "{throttle_time_ms=2147483647, topics=[{name=\"orders\", partitions=[{partition_index=2147483647, error_code=17043}]}]}" },
    { "offset_commit_response", 10,
      "8000000002f93bc0b8330ad2c9a6331e75de7501250280000000b3a2000000",
      "{throttle_time_ms=-2147483648, topics=[{topic_id=-TvAuDMK0smmMx513nUBJQ, partitions=[{partition_index=-2147483648, error"
      "_code=-19550}]}]}" },
    { "offset_fetch_request", 1,
      "0003782e790000000100066f72646572730000000100000028",
      "{group_id=\"x.y\", topics=[{name=\"orders\", partition_indexes=[40]}]}" },
    { "offset_fetch_request", 2,
      "00046e6f64650000000100046e6f6465000000017fffffff",
      "{group_id=\"node\", topics=[{name=\"node\", partition_indexes=[2147483647]}]}" },
    { "offset_fetch_request", 3,
      "0007746f7069632d31ffffffff",
      "{group_id=\"topic-1\", topics=null}" },
    { "offset_fetch_request", 4,
      "0007746f7069632d310000000100056772c3bc6e000000015ce7067e",
      "{group_id=\"topic-1\", topics=[{name=\"grün\", partition_indexes=[1558644350]}]}" },
    { "offset_fetch_request", 5,
      "00066f7264657273000000010003782e790000000100000028",
      "{group_id=\"orders\", topics=[{name=\"x.y\", partition_indexes=[40]}]}" },
    { "offset_fetch_request", 6,
      "08746f7069632d3102046d2d32020000004f0000",
      "{group_id=\"topic-1\", topics=[{name=\"m-2\", partition_indexes=[79]}]}" },
    { "offset_fetch_request", 7,
      "04782e7902076f7264657273038000000000000026000000",
      "{group_id=\"x.y\", topics=[{name=\"orders\", partition_indexes=[-2147483648, 38]}], require_stable=false}" },
    { "offset_fetch_request", 8,
      "03026b03056e6f6465038f9ff64e7fffffff00056e6f6465037baa32e1000000030000026b02026b020000003100000100",
      "{groups=[{group_id=\"k\", topics=[{name=\"node\", partition_indexes=[-1885342130, 2147483647]}, {name=\"node\", partitio"
      "n_indexes=[2074751713, 3]}]}, {group_id=\"k\", topics=[{name=\"k\", partition_indexes=[49]}]}], require_stable=true}" },
    { "offset_fetch_request", 9,
      "03056e6f6465000000002e02056e6f6465020000002900000261000000000500000100",
      "{groups=[{group_id=\"node\", member_id=null, member_epoch=46, topics=[{name=\"node\", partition_indexes=[41]}]}, {group_"
      "id=\"a\", member_id=null, member_epoch=5, topics=null}], require_stable=true}" },
    { "offset_fetch_request", 10,
      "03056e6f646500000000180000076f72646572730672616e676576df271d00000100",
      "{groups=[{group_id=\"node\", member_id=null, member_epoch=24, topics=null}, {group_id=\"orders\", member_id=\"range\", m"
      "ember_epoch=1994336029, topics=null}], require_stable=true}" },
    { "offset_fetch_response", 1,
      "00000001000161000000010000002cec095a5a595ba70300008000",
      "{topics=[{name=\"a\", partitions=[{partition_index=44, committed_offset=-1438519261875427581, metadata=\"\", error_code="
      "-32768}]}]}" },
    { "offset_fetch_response", 2,
      "0000000100056772c3bc6e000000018000000080000000000000000001610a3e8000",
      "{topics=[{name=\"grün\", partitions=[{partition_index=-2147483648, committed_offset=-9223372036854775808, metadata=\"a"
      "\", error_code=2622}]}], error_code=-32768}" },
    { "offset_fetch_response", 3,
      "00000010000000010001610000000100000006000000000000005f0007746f7069632d3100587fff",
      "{throttle_time_ms=16, topics=[{name=\"a\", partitions=[{partition_index=6, committed_offset=95, metadata=\"topic-1\", er"
      "ror_code=88}]}], error_code=32767}" },
    { "offset_fetch_response", 4,
      "7fffffff0000000100016b00000000002e",
      "{throttle_time_ms=2147483647, topics=[{name=\"k\", partitions=[]}], error_code=46}" },
    { "offset_fetch_response", 5,
      "00000032000000010007746f7069632d31000000010000005d000000000000001b0000004f00016b7fffc8c7",
      "{throttle_time_ms=50, topics=[{name=\"topic-1\", partitions=[{partition_index=93, committed_offset=27, committed_leader_"
      "epoch=79, metadata=\"k\", error_code=32767}]}], error_code=-14137}" },
    { "offset_fetch_response", 6,
      "8000000002056e6f6465034ad7eab98482225c0190bde153e9c2a104782e794ce6000000002b7fffffffffffffff7fffffff046d2d32b4a90000a1bb"
      "00",
      "{throttle_time_ms=-2147483648, topics=[{name=\"node\", partitions=[{partition_index=1255664313, committed_offset=-889851"
      "2135172080159, committed_leader_epoch=1407828641, metadata=\"x.y\", error_code=19686}, {partition_index=43, committed_of"
      "fset=9223372036854775807, committed_leader_epoch=2147483647, metadata=\"m-2\", error_code=-19287}]}], error_code=-24133}" },
    { "offset_fetch_response", 7,
      "b19c4dd102066772c3bc6e0100478e00",
      "{throttle_time_ms=-1315156527, topics=[{name=\"grün\", partitions=[]}], error_code=18318}" },
    { "offset_fetch_response", 8,
      "7fffffff0100",
      "{throttle_time_ms=2147483647, groups=[]}" },
    { "offset_fetch_response", 9,
      "80000000020102076f726465727302266fbe1f000000000000002182784b73066772c3bc6e8000000000390000",
      "{throttle_time_ms=-2147483648, groups=[{group_id=\"\", topics=[{name=\"orders\", partitions=[{partition_index=644857375,"
      " committed_offset=33, committed_leader_epoch=-2106045581, metadata=\"grün\", error_code=-32768}]}], error_code=57}]}" },
    { "offset_fetch_response", 10,
      "7fffffff02026102e5e39c187ce66c8280d407157e03e9b302f5cd43d57fffffffffffffff00000025076f7264657273ec8a000080000000",
      "{throttle_time_ms=2147483647, groups=[{group_id=\"a\", topics=[{topic_id=5eOcGHzmbIKA1AcVfgPpsw, partitions=[{partition_"
      "index=-171097131, committed_offset=9223372036854775807, committed_leader_epoch=37, metadata=\"orders\", error_code=-4982"
      "}]}], error_code=-32768}]}" },
    { "find_coordinator_request", 0,
      "00046e6f6465",
      "{key=\"node\"}" },
    { "find_coordinator_request", 1,
      "000572616e676580",
      "{key=\"range\", key_type=-128}" },
    { "find_coordinator_request", 2,
      "00036d2d3263",
      "{key=\"m-2\", key_type=99}" },
    { "find_coordinator_request", 3,
      "01ae00",
      "{key=\"\", key_type=-82}" },
    { "find_coordinator_request", 4,
      "6c0208746f7069632d3100",
      "{key_type=108, coordinator_keys=[\"topic-1\"]}" },
    { "find_coordinator_request", 5,
      "800100",
      "{key_type=-128, coordinator_keys=[]}" },
    { "find_coordinator_request", 6,
      "aa020672616e676500",
      "{key_type=-86, coordinator_keys=[\"range\"]}" },
    { "find_coordinator_response", 0,
      "39510000001b0003782e7974fc1f20",
      "{error_code=14673, node_id=27, host=\"x.y\", port=1962680096}" },
    { "find_coordinator_response", 1,
      "00000029004b0007746f7069632d318000000000046e6f64650000005e",
      "{throttle_time_ms=41, error_code=75, error_message=\"topic-1\", node_id=-2147483648, host=\"node\", port=94}" },
    { "find_coordinator_response", 2,
      "00000012a4d900016b0000001c000572616e67657fffffff",
      "{throttle_time_ms=18, error_code=-23335, error_message=\"k\", node_id=28, host=\"range\", port=2147483647}" },
    { "find_coordinator_response", 3,
      "800000008000056e6f64650000000d056e6f64650000004300",
      "{throttle_time_ms=-2147483648, error_code=-32768, error_message=\"node\", node_id=13, host=\"node\", port=67}" },
    { "find_coordinator_response", 4,
      "0000002002026b7fffffff066772c3bc6e800000000003010000",
      "{throttle_time_ms=32, coordinators=[{key=\"k\", node_id=2147483647, host=\"grün\", port=-2147483648, error_code=3, erro"
      "r_message=\"\"}]}" },
    { "find_coordinator_response", 5,
      "0000003602066772c3bc6e02b096790100000022000902610000",
      "{throttle_time_ms=54, coordinators=[{key=\"grün\", node_id=45127289, host=\"\", port=34, error_code=9, error_message=\""
      "a\"}]}" },
    { "find_coordinator_response", 6,
      "0000001f0100",
      "{throttle_time_ms=31, coordinators=[]}" },
    { "join_group_request", 0,
      "00066f7264657273000000570007746f7069632d310003782e790000000200046e6f64650000000000066f726465727300000006ecdb7340e718",
      "{group_id=\"orders\", session_timeout_ms=87, member_id=\"topic-1\", protocol_type=\"x.y\", protocols=[{name=\"node\", me"
      "tadata=<0 bytes>}, {name=\"orders\", metadata=<6 bytes>}]}" },
    { "join_group_request", 1,
      "0003782e790000001a80000000000572616e676500046e6f64650000000200046e6f646500000005115043440a000572616e6765000000061908071a"
      "0e56",
      "{group_id=\"x.y\", session_timeout_ms=26, rebalance_timeout_ms=-2147483648, member_id=\"range\", protocol_type=\"node\","
      " protocols=[{name=\"node\", metadata=<5 bytes>}, {name=\"range\", metadata=<6 bytes>}]}" },
    { "join_group_request", 2,
      "000572616e6765000000028000000000016b00046e6f64650000000100016b00000005d680dd8f46",
      "{group_id=\"range\", session_timeout_ms=2, rebalance_timeout_ms=-2147483648, member_id=\"k\", protocol_type=\"node\", pr"
      "otocols=[{name=\"k\", metadata=<5 bytes>}]}" },
    { "join_group_request", 3,
      "0007746f7069632d317fffffff000000550007746f7069632d310001610000000200036d2d32000000053f396a2b7c00056772c3bc6e000000068a4b"
      "ecba9927",
      "{group_id=\"topic-1\", session_timeout_ms=2147483647, rebalance_timeout_ms=85, member_id=\"topic-1\", protocol_type=\"a"
      "\", protocols=[{name=\"m-2\", metadata=<5 bytes>}, {name=\"grün\", metadata=<6 bytes>}]}" },
    { "join_group_request", 4,
      "0007746f7069632d310000003000000003000000056772c3bc6e0000000200066f726465727300000001240007746f7069632d3100000004c42b6d66",
      "{group_id=\"topic-1\", session_timeout_ms=48, rebalance_timeout_ms=3, member_id=\"\", protocol_type=\"grün\", protocols"
      "=[{name=\"orders\", metadata=<1 bytes>}, {name=\"topic-1\", metadata=<4 bytes>}]}" },
    { "join_group_request", 5,
      "00046e6f64657fffffff80000000000572616e676500066f7264657273000161000000010007746f7069632d3100000000",
      "{group_id=\"node\", session_timeout_ms=2147483647, rebalance_timeout_ms=-2147483648, member_id=\"range\", group_instance"
      "_id=\"orders\", protocol_type=\"a\", protocols=[{name=\"topic-1\", metadata=<0 bytes>}]}" },
    { "join_group_request", 6,
      "026b680f2d1d00000027046d2d3200066772c3bc6e0100",
      "{group_id=\"k\", session_timeout_ms=1745825053, rebalance_timeout_ms=39, member_id=\"m-2\", group_instance_id=null, prot"
      "ocol_type=\"grün\", protocols=[]}" },
    { "join_group_request", 7,
      "0672616e67657fffffff7fffffff056e6f646500056e6f646503046d2d3206b4090c6eaa00046d2d320603384920dd0000",
      "{group_id=\"range\", session_timeout_ms=2147483647, rebalance_timeout_ms=2147483647, member_id=\"node\", group_instance_"
      "id=null, protocol_type=\"node\", protocols=[{name=\"m-2\", metadata=<5 bytes>}, {name=\"m-2\", metadata=<5 bytes>}]}" },
    { "join_group_request", 8,
      "056e6f6465000000338000000008746f7069632d31026b0672616e676503066772c3bc6e05079de8bf000672616e676507d30e6af20d0500026100",
      "{group_id=\"node\", session_timeout_ms=51, rebalance_timeout_ms=-2147483648, member_id=\"topic-1\", group_instance_id=\""
      "k\", protocol_type=\"range\", protocols=[{name=\"grün\", metadata=<4 bytes>}, {name=\"range\", metadata=<6 bytes>}], re"
      "ason=\"a\"}" },
    { "join_group_request", 9,
      "02617fffffff000000580261026b02610308746f7069632d3103b0b700046d2d3207c4dd993f6c3e000672616e676500",
      "{group_id=\"a\", session_timeout_ms=2147483647, rebalance_timeout_ms=88, member_id=\"a\", group_instance_id=\"k\", proto"
      "col_type=\"a\", protocols=[{name=\"topic-1\", metadata=<2 bytes>}, {name=\"m-2\", metadata=<6 bytes>}], reason=\"range\""
      "}" },
    { "join_group_response", 0,
      "8000800000000007746f7069632d3100056772c3bc6e000572616e67650000000100056772c3bc6e0000000539d2e2c2e4",
      "{error_code=-32768, generation_id=-2147483648, protocol_name=\"topic-1\", leader=\"grün\", member_id=\"range\", members"
      "=[{member_id=\"grün\", metadata=<5 bytes>}]}" },
    { "join_group_response", 1,
      "80007fffffff000000016b00046e6f646500000000",
      "{error_code=-32768, generation_id=2147483647, protocol_name=\"\", leader=\"k\", member_id=\"node\", members=[]}" },
    { "join_group_response", 2,
      "bb0c54b1766ed034467c0007746f7069632d3100056772c3bc6e00046e6f6465000000020001610000000000036d2d32000000063a04dad7d9c8",
      "{throttle_time_ms=-1156819791, error_code=30318, generation_id=-801880452, protocol_name=\"topic-1\", leader=\"grün\", "
      "member_id=\"node\", members=[{member_id=\"a\", metadata=<0 bytes>}, {member_id=\"m-2\", metadata=<6 bytes>}]}" },
    { "join_group_response", 3,
      "0000002880008000000000066f726465727300056772c3bc6e00016b0000000100046e6f6465000000012a",
      "{throttle_time_ms=40, error_code=-32768, generation_id=-2147483648, protocol_name=\"orders\", leader=\"grün\", member_i"
      "d=\"k\", members=[{member_id=\"node\", metadata=<1 bytes>}]}" },
    { "join_group_response", 4,
      "7fffffff000b7fffffff00016b00016b000572616e676500000001000000000004474de662",
      "{throttle_time_ms=2147483647, error_code=11, generation_id=2147483647, protocol_name=\"k\", leader=\"k\", member_id=\"ra"
      "nge\", members=[{member_id=\"\", metadata=<4 bytes>}]}" },
    { "join_group_response", 5,
      "8000000000017fffffff00046e6f646500016b000572616e67650000000100046e6f6465000572616e6765000000012e",
      "{throttle_time_ms=-2147483648, error_code=1, generation_id=2147483647, protocol_name=\"node\", leader=\"k\", member_id="
      "\"range\", members=[{member_id=\"node\", group_instance_id=\"range\", metadata=<1 bytes>}]}" },
    { "join_group_response", 6,
      "000000480011000000290672616e6765076f7264657273026102076f72646572730672616e676503d16d0000",
      "{throttle_time_ms=72, error_code=17, generation_id=41, protocol_name=\"range\", leader=\"orders\", member_id=\"a\", memb"
      "ers=[{member_id=\"orders\", group_instance_id=\"range\", metadata=<2 bytes>}]}" },
    { "join_group_response", 7,
      "7fffffffc8ac7fffffff010001046d2d320100",
      "{throttle_time_ms=2147483647, error_code=-14164, generation_id=2147483647, protocol_type=\"\", protocol_name=null, leade"
      "r=\"\", member_id=\"m-2\", members=[]}" },
    { "join_group_response", 8,
      "8000000000047fffffff00056e6f6465056e6f6465026b0304782e7900021200066772c3bc6e066772c3bc6e02f80000",
      "{throttle_time_ms=-2147483648, error_code=4, generation_id=2147483647, protocol_type=null, protocol_name=\"node\", leade"
      "r=\"node\", member_id=\"k\", members=[{member_id=\"x.y\", group_instance_id=null, metadata=<1 bytes>}, {member_id=\"grü"
      "n\", group_instance_id=\"grün\", metadata=<1 bytes>}]}" },
    { "join_group_response", 9,
      "0000001f7fff8000000000046d2d32076f726465727300056e6f64650204782e7908746f7069632d310376020000",
      "{throttle_time_ms=31, error_code=32767, generation_id=-2147483648, protocol_type=null, protocol_name=\"m-2\", leader=\"o"
      "rders\", skip_assignment=false, member_id=\"node\", members=[{member_id=\"x.y\", group_instance_id=\"topic-1\", metadata"
      "=<2 bytes>}]}" },
    { "heartbeat_request", 0,
      "00000000005b0007746f7069632d31",
      "{group_id=\"\", generation_id=91, member_id=\"topic-1\"}" },
    { "heartbeat_request", 1,
      "00016ba95674fb0003782e79",
      "{group_id=\"k\", generation_id=-1453951749, member_id=\"x.y\"}" },
    { "heartbeat_request", 2,
      "0000800000000003782e79",
      "{group_id=\"\", generation_id=-2147483648, member_id=\"x.y\"}" },
    { "heartbeat_request", 3,
      "00066f72646572737fffffff0001610000",
      "{group_id=\"orders\", generation_id=2147483647, member_id=\"a\", group_instance_id=\"\"}" },
    { "heartbeat_request", 4,
      "046d2d3200000044026b026b00",
      "{group_id=\"m-2\", generation_id=68, member_id=\"k\", group_instance_id=\"k\"}" },
    { "heartbeat_response", 0,
      "004e",
      "{error_code=78}" },
    { "heartbeat_response", 1,
      "0000004b8000",
      "{throttle_time_ms=75, error_code=-32768}" },
    { "heartbeat_response", 2,
      "7fffffff7fff",
      "{throttle_time_ms=2147483647, error_code=32767}" },
    { "heartbeat_response", 3,
      "800000008000",
      "{throttle_time_ms=-2147483648, error_code=-32768}" },
    { "heartbeat_response", 4,
      "7fffffff7fff00",
      "{throttle_time_ms=2147483647, error_code=32767}" },
    { "leave_group_request", 0,
      "00036d2d320007746f7069632d31",
      "{group_id=\"m-2\", member_id=\"topic-1\"}" },
    { "leave_group_request", 1,
      "0003782e7900056772c3bc6e",
      "{group_id=\"x.y\", member_id=\"grün\"}" },
    { "leave_group_request", 2,
      "00036d2d320003782e79",
      "{group_id=\"m-2\", member_id=\"x.y\"}" },
    { "leave_group_request", 3,
      "000572616e67650000000100000003782e79",
      "{group_id=\"range\", members=[{member_id=\"\", group_instance_id=\"x.y\"}]}" },
    { "leave_group_request", 4,
      "04782e7902066772c3bc6e066772c3bc6e0000",
      "{group_id=\"x.y\", members=[{member_id=\"grün\", group_instance_id=\"grün\"}]}" },
    { "leave_group_request", 5,
      "046d2d3202046d2d320672616e6765000000",
      "{group_id=\"m-2\", members=[{member_id=\"m-2\", group_instance_id=\"range\", reason=null}]}" },
    { "leave_group_response", 0,
      "8000",
      "{error_code=-32768}" },
    { "leave_group_response", 1,
      "800000008000",
      "{throttle_time_ms=-2147483648, error_code=-32768}" },
    { "leave_group_response", 2,
      "800000000011",
      "{throttle_time_ms=-2147483648, error_code=17}" },
    { "leave_group_response", 3,
      "00000006b236000000010000ffff0055",
      "{throttle_time_ms=6, error_code=-19914, members=[{member_id=\"\", group_instance_id=null, error_code=85}]}" },
    { "leave_group_response", 4,
      "7fffffff7fff03026b08746f7069632d317fff000672616e6765076f72646572737fff0000",
      "{throttle_time_ms=2147483647, error_code=32767, members=[{member_id=\"k\", group_instance_id=\"topic-1\", error_code=327"
      "67}, {member_id=\"range\", group_instance_id=\"orders\", error_code=32767}]}" },
    { "leave_group_response", 5,
      "1867a6495f28020672616e676508746f7069632d31000b0000",
      "{throttle_time_ms=409445961, error_code=24360, members=[{member_id=\"range\", group_instance_id=\"topic-1\", error_code="
      "11}]}" },
    { "sync_group_request", 0,
      "0003782e798000000000016b00000001000000000002213a",
      "{group_id=\"x.y\", generation_id=-2147483648, member_id=\"k\", assignments=[{member_id=\"\", assignment=<2 bytes>}]}" },
    { "sync_group_request", 1,
      "000572616e6765e7745c2900016100000000",
      "{group_id=\"range\", generation_id=-411804631, member_id=\"a\", assignments=[]}" },
    { "sync_group_request", 2,
      "00066f72646572730000002e00016b0000000200046e6f6465000000060e22e3898f9200036d2d320000000426e9830e",
      "{group_id=\"orders\", generation_id=46, member_id=\"k\", assignments=[{member_id=\"node\", assignment=<6 bytes>}, {membe"
      "r_id=\"m-2\", assignment=<4 bytes>}]}" },
    { "sync_group_request", 3,
      "0007746f7069632d3181cad3dc00066f726465727300066f72646572730000000200056772c3bc6e000000000001610000000199",
      "{group_id=\"topic-1\", generation_id=-2117413924, member_id=\"orders\", group_instance_id=\"orders\", assignments=[{memb"
      "er_id=\"grün\", assignment=<0 bytes>}, {member_id=\"a\", assignment=<1 bytes>}]}" },
    { "sync_group_request", 4,
      "046d2d320000004b066772c3bc6e026b02026b0671c7ea57480000",
      "{group_id=\"m-2\", generation_id=75, member_id=\"grün\", group_instance_id=\"k\", assignments=[{member_id=\"k\", assign"
      "ment=<5 bytes>}]}" },
    { "sync_group_request", 5,
      "010000001e010672616e6765056e6f6465046d2d3202046d2d32010000",
      "{group_id=\"\", generation_id=30, member_id=\"\", group_instance_id=\"range\", protocol_type=\"node\", protocol_name=\"m"
      "-2\", assignments=[{member_id=\"m-2\", assignment=<0 bytes>}]}" },
    { "sync_group_response", 0,
      "7fff00000000",
      "{error_code=32767, assignment=<0 bytes>}" },
    { "sync_group_response", 1,
      "80000000000a000000037c85c9",
      "{throttle_time_ms=-2147483648, error_code=10, assignment=<3 bytes>}" },
    { "sync_group_response", 2,
      "00000062f34f000000035f263d",
      "{throttle_time_ms=98, error_code=-3249, assignment=<3 bytes>}" },
    { "sync_group_response", 3,
      "ea7f76b78000000000061bfad144c05d",
      "{throttle_time_ms=-360745289, error_code=-32768, assignment=<6 bytes>}" },
    { "sync_group_response", 4,
      "0000005bffff0468eed600",
      "{throttle_time_ms=91, error_code=-1, assignment=<3 bytes>}" },
    { "sync_group_response", 5,
      "0e58b58b7fff0001061a445a8db900",
      "{throttle_time_ms=240694667, error_code=32767, protocol_type=null, protocol_name=\"\", assignment=<5 bytes>}" },
    { "describe_groups_request", 0,
      "000000010000",
      "{groups=[\"\"]}" },
    { "describe_groups_request", 1,
      "00000000",
      "{groups=[]}" },
    { "describe_groups_request", 2,
      "0000000200016100036d2d32",
      "{groups=[\"a\", \"m-2\"]}" },
    { "describe_groups_request", 3,
      "000000020003782e790007746f7069632d3100",
      "{groups=[\"x.y\", \"topic-1\"], include_authorized_operations=false}" },
    { "describe_groups_request", 4,
      "00000002000000056772c3bc6e00",
      "{groups=[\"\", \"grün\"], include_authorized_operations=false}" },
    { "describe_groups_request", 5,
      "020672616e67650100",
      "{groups=[\"range\"], include_authorized_operations=true}" },
    { "describe_groups_request", 6,
      "02076f72646572730100",
      "{groups=[\"orders\"], include_authorized_operations=true}" },
    { "describe_groups_response", 0,
      "00000000",
      "{groups=[]}" },
    { "describe_groups_response", 1,
      "2dd877db00000000",
      "{throttle_time_ms=769161179, groups=[]}" },
    { "describe_groups_response", 2,
      "8000000000000001f9d900066f7264657273000572616e676500016b000000000000",
      "{throttle_time_ms=-2147483648, groups=[{error_code=-1575, group_id=\"orders\", group_state=\"range\", protocol_type=\"k"
      "\", protocol_data=\"\", members=[]}]}" },
    { "describe_groups_response", 3,
      "8000000000000000",
      "{throttle_time_ms=-2147483648, groups=[]}" },
    { "describe_groups_response", 4,
      "00000039000000017fff000000056772c3bc6e00016100000000000100016b0007746f7069632d3100016100016b000000061d92e9a756d200000005"
      "47ed20df7700000001",
      "{throttle_time_ms=57, groups=[{error_code=32767, group_id=\"\", group_state=\"grün\", protocol_type=\"a\", protocol_dat"
      "a=\"\", members=[{member_id=\"k\", group_instance_id=\"topic-1\", client_id=\"a\", client_host=\"k\", member_metadata=<6"
      " bytes>, member_assignment=<5 bytes>}], authorized_operations=1}]}" },
    { "describe_groups_response", 5,
      "5fc67a29037fff076f726465727304782e7902610102066772c3bc6e00046d2d320107017a35ed8f2703c3cb007fffffff00a7e904782e79066772c3"
      "bc6e056e6f646508746f7069632d3102076f726465727300026b066772c3bc6e025102080055dec4f90000",
      "{throttle_time_ms=1606842921, groups=[{error_code=32767, group_id=\"orders\", group_state=\"x.y\", protocol_type=\"a\", "
      "protocol_data=\"\", members=[{member_id=\"grün\", group_instance_id=null, client_id=\"m-2\", client_host=\"\", member_m"
      "etadata=<6 bytes>, member_assignment=<2 bytes>}], authorized_operations=2147483647}, {error_code=-22551, group_id=\"x.y"
      "\", group_state=\"grün\", protocol_type=\"node\", protocol_data=\"topic-1\", members=[{member_id=\"orders\", group_inst"
      "ance_id=null, client_id=\"k\", client_host=\"grün\", member_metadata=<1 bytes>, member_assignment=<1 bytes>}], authoriz"
      "ed_operations=1440662777}]}" },
    { "describe_groups_response", 6,
      "00000037027fff04782e790672616e6765046d2d3204782e79046d2d3202066772c3bc6e01066772c3bc6e01068fe3dc430e043d4d1e000000000500"
      "00",
      "{throttle_time_ms=55, groups=[{error_code=32767, error_message=\"x.y\", group_id=\"range\", group_state=\"m-2\", protoco"
      "l_type=\"x.y\", protocol_data=\"m-2\", members=[{member_id=\"grün\", group_instance_id=\"\", client_id=\"grün\", clien"
      "t_host=\"\", member_metadata=<5 bytes>, member_assignment=<3 bytes>}], authorized_operations=5}]}" },
    { "list_groups_request", 0,
      "",
      "{}" },
    { "list_groups_request", 1,
      "",
      "{}" },
    { "list_groups_request", 2,
      "",
      "{}" },
    { "list_groups_request", 3,
      "00",
      "{}" },
    { "list_groups_request", 4,
      "0100",
      "{states_filter=[]}" },
    { "list_groups_request", 5,
      "01020672616e676500",
      "{states_filter=[], types_filter=[\"range\"]}" },
    { "list_groups_response", 0,
      "00000000000100056772c3bc6e00056772c3bc6e",
      "{error_code=0, groups=[{group_id=\"grün\", protocol_type=\"grün\"}]}" },
    { "list_groups_response", 1,
      "a2e499d53dfb0000000200036d2d32000000016100056772c3bc6e",
      "{throttle_time_ms=-1562076715, error_code=15867, groups=[{group_id=\"m-2\", protocol_type=\"\"}, {group_id=\"a\", protoc"
      "ol_type=\"grün\"}]}" },
    { "list_groups_response", 2,
      "750f7d71002e0000000100046e6f646500056772c3bc6e",
      "{throttle_time_ms=1963949425, error_code=46, groups=[{group_id=\"node\", protocol_type=\"grün\"}]}" },
    { "list_groups_response", 3,
      "0000002180000100",
      "{throttle_time_ms=33, error_code=-32768, groups=[]}" },
    { "list_groups_response", 4,
      "8000000080000201076f7264657273076f72646572730000",
      "{throttle_time_ms=-2147483648, error_code=-32768, groups=[{group_id=\"\", protocol_type=\"orders\", group_state=\"orders"
      "\"}]}" },
    { "list_groups_response", 5,
      "2d662744c7b5020672616e6765076f7264657273066772c3bc6e04782e790000",
      "{throttle_time_ms=761669444, error_code=-14411, groups=[{group_id=\"range\", protocol_type=\"orders\", group_state=\"gr"
      "ün\", group_type=\"x.y\"}]}" },
    { "sasl_handshake_request", 0,
      "0003782e79",
      "{mechanism=\"x.y\"}" },
    { "sasl_handshake_request", 1,
      "00016b",
      "{mechanism=\"k\"}" },
    { "sasl_handshake_response", 0,
      "38fb000000010007746f7069632d31",
      "{error_code=14587, mechanisms=[\"topic-1\"]}" },
    { "sasl_handshake_response", 1,
      "844d0000000100046e6f6465",
      "{error_code=-31667, mechanisms=[\"node\"]}" },
    { "api_versions_request", 0,
      "",
      "{}" },
    { "api_versions_request", 1,
      "",
      "{}" },
    { "api_versions_request", 2,
      "",
      "{}" },
    { "api_versions_request", 3,
      "076f7264657273026100",
      "{client_software_name=\"orders\", client_software_version=\"a\"}" },
    { "api_versions_request", 4,
      "076f72646572730100",
      "{client_software_name=\"orders\", client_software_version=\"\"}" },
    { "api_versions_response", 0,
      "000d00000000",
      "{error_code=13, api_keys=[]}" },
    { "api_versions_response", 1,
      "7fff000000027fff8000ad3fffff7fff7fff0000001e",
      "{error_code=32767, api_keys=[{api_key=32767, min_version=-32768, max_version=-21185}, {api_key=-1, min_version=32767, ma"
      "x_version=32767}], throttle_time_ms=30}" },
    { "api_versions_response", 2,
      "7fff000000010002b46a800080000000",
      "{error_code=32767, api_keys=[{api_key=2, min_version=-19350, max_version=-32768}], throttle_time_ms=-2147483648}" },
    { "api_versions_response", 3,
      "00270180000000020007020119f400340001080000000000000014",
      "{error_code=39, api_keys=[], throttle_time_ms=-2147483648, supported_features=[{name=\"\", min_version=6644, max_version"
      "=52}], finalized_features_epoch=20}" },
    { "api_versions_response", 4,
      "24f0027fff8000004a006b2d445a01021303066772c3bc6e003fd8fc00026b002d000000",
      "{error_code=9456, api_keys=[{api_key=32767, min_version=-32768, max_version=74}], throttle_time_ms=1798128730, finalized"
      "_features=[{name=\"grün\", max_version_level=63, min_version_level=-9988}, {name=\"k\", max_version_level=45, min_versi"
      "on_level=0}]}" },
    { "create_topics_request", 2,
      "0000000100056772c3bc6e80000000003a0000000280000000000000010000002b000000400000000000000001000000036d2d320000000200",
      "{topics=[{name=\"grün\", num_partitions=-2147483648, replication_factor=58, assignments=[{partition_index=-2147483648, "
      "broker_ids=[43]}, {partition_index=64, broker_ids=[]}], configs=[{name=\"\", value=\"m-2\"}]}], timeout_ms=2, validate_o"
      "nly=false}" },
    { "create_topics_request", 3,
      "0000000100016b00000019ade900000000000000010003782e790007746f7069632d310000003201",
      "{topics=[{name=\"k\", num_partitions=25, replication_factor=-21015, assignments=[], configs=[{name=\"x.y\", value=\"topi"
      "c-1\"}]}], timeout_ms=50, validate_only=true}" },
    { "create_topics_request", 4,
      "000000010003782e7980000000001c00000000000000020007746f7069632d310007746f7069632d31000000016b7fffffff01",
      "{topics=[{name=\"x.y\", num_partitions=-2147483648, replication_factor=28, assignments=[], configs=[{name=\"topic-1\", v"
      "alue=\"topic-1\"}, {name=\"\", value=\"k\"}]}], timeout_ms=2147483647, validate_only=true}" },
    { "create_topics_request", 5,
      "020261fffffffe80000102056e6f646502610000000000520100",
      "{topics=[{name=\"a\", num_partitions=-2, replication_factor=-32768, assignments=[], configs=[{name=\"node\", value=\"a\""
      "}]}], timeout_ms=82, validate_only=true}" },
    { "create_topics_request", 6,
      "02066772c3bc6e7fffffff001c020000003a02d3baf02c000100000000300100",
      "{topics=[{name=\"grün\", num_partitions=2147483647, replication_factor=28, assignments=[{partition_index=58, broker_ids"
      "=[-742723540]}], configs=[]}], timeout_ms=48, validate_only=true}" },
    { "create_topics_request", 7,
      "02066772c3bc6e00000039000c03963fb87101000000001102000000600002056e6f6465000000000000610000",
      "{topics=[{name=\"grün\", num_partitions=57, replication_factor=12, assignments=[{partition_index=-1774208911, broker_id"
      "s=[]}, {partition_index=17, broker_ids=[96]}], configs=[{name=\"node\", value=null}]}], timeout_ms=97, validate_only=fal"
      "se}" },
    { "create_topics_response", 2,
      "ced63f0900000000",
      "{throttle_time_ms=-824819959, topics=[]}" },
    { "create_topics_response", 3,
      "7fffffff000000020000000d00016b0001619a18ffff",
      "{throttle_time_ms=2147483647, topics=[{name=\"\", error_code=13, error_message=\"k\"}, {name=\"a\", error_code=-26088, e"
      "rror_message=null}]}" },
    { "create_topics_response", 4,
      "4193eb0a00000001000572616e676561f300056772c3bc6e",
      "{throttle_time_ms=1100213002, topics=[{name=\"range\", error_code=25075, error_message=\"grün\"}]}" },
    { "create_topics_response", 5,
      "4a28792a020672616e6765fffd04782e797fffffff003600010002000100",
      "{throttle_time_ms=1244166442, topics=[{name=\"range\", error_code=-3, error_message=\"x.y\", topic_config_error_code=1, "
      "num_partitions=2147483647, replication_factor=54, configs=null}]}" },
    { "create_topics_response", 6,
      "7fffffff0204782e7900110000000058ad070308746f7069632d31000027000004782e79076f72646572730180010001000286c900",
      "{throttle_time_ms=2147483647, topics=[{name=\"x.y\", error_code=17, error_message=null, topic_config_error_code=-31031, "
      "num_partitions=88, replication_factor=-21241, configs=[{name=\"topic-1\", value=null, read_only=false, config_source=39,"
      " is_sensitive=false}, {name=\"x.y\", value=\"orders\", read_only=true, config_source=-128, is_sensitive=true}]}]}" },
    { "create_topics_response", 7,
      "0000000802056e6f646580228867cee17528595aea58c48f92288000076f7264657273000000397fff00010002004000",
      "{throttle_time_ms=8, topics=[{name=\"node\", topic_id=gCKIZ87hdShZWupYxI-SKA, error_code=-32768, error_message=\"orders"
      "\", topic_config_error_code=64, num_partitions=57, replication_factor=32767, configs=null}]}" },
    { "delete_topics_request", 1,
      "000000003e09dc92",
      "{topic_names=[], timeout_ms=1040833682}" },
    { "delete_topics_request", 2,
      "0000000000000016",
      "{topic_names=[], timeout_ms=22}" },
    { "delete_topics_request", 3,
      "000000010003782e7900000056",
      "{topic_names=[\"x.y\"], timeout_ms=86}" },
    { "delete_topics_request", 4,
      "02076f72646572730000005300",
      "{topic_names=[\"orders\"], timeout_ms=83}" },
    { "delete_topics_request", 5,
      "020672616e67658000000000",
      "{topic_names=[\"range\"], timeout_ms=-2147483648}" },
    { "delete_topics_request", 6,
      "020672616e6765aec5e5bfb122faf60a4e785bb144576e008000000000",
      "{topics=[{name=\"range\", topic_id=rsXlv7Ei-vYKTnhbsURXbg}], timeout_ms=-2147483648}" },
    { "delete_topics_response", 1,
      "d2160714000000010003782e7942a0",
      "{throttle_time_ms=-770308332, responses=[{name=\"x.y\", error_code=17056}]}" },
    { "delete_topics_response", 2,
      "7fffffff0000000100016b7fff",
      "{throttle_time_ms=2147483647, responses=[{name=\"k\", error_code=32767}]}" },
    { "delete_topics_response", 3,
      "afd5d6fc0000000100016b002b",
      "{throttle_time_ms=-1344940292, responses=[{name=\"k\", error_code=43}]}" },
    { "delete_topics_response", 4,
      "0000003002056e6f646580000000",
      "{throttle_time_ms=48, responses=[{name=\"node\", error_code=-32768}]}" },
    { "delete_topics_response", 5,
      "000000250100",
      "{throttle_time_ms=37, responses=[]}" },
    { "delete_topics_response", 6,
      "8000000002026b701276b42e880836f4f3e45cd60ab6df003108746f7069632d310000",
      "{throttle_time_ms=-2147483648, responses=[{name=\"k\", topic_id=cBJ2tC6ICDb08-Rc1gq23w, error_code=49, error_message=\"t"
      "opic-1\"}]}" },
    { "delete_records_request", 0,
      "0000000200036d2d320000000132b056146fcc94ab68bd0a420003782e790000000093fcc8a2",
      "{topics=[{name=\"m-2\", partitions=[{partition_index=850417172, offset=8055977297376512578}]}, {name=\"x.y\", partitions"
      "=[]}], timeout_ms=-1812150110}" },
    { "delete_records_request", 1,
      "0000000200056772c3bc6e000000016e054cd1800000000000000000036d2d320000000100000036000000000000003b7fffffff",
      "{topics=[{name=\"grün\", partitions=[{partition_index=1845841105, offset=-9223372036854775808}]}, {name=\"m-2\", partit"
      "ions=[{partition_index=54, offset=59}]}], timeout_ms=2147483647}" },
    { "delete_records_request", 2,
      "02046d2d3201007fffffff00",
      "{topics=[{name=\"m-2\", partitions=[]}], timeout_ms=2147483647}" },
    { "delete_records_response", 0,
      "0000000b00000001000000000000",
      "{throttle_time_ms=11, topics=[{name=\"\", partitions=[]}]}" },
    { "delete_records_response", 1,
      "7fb0bf5e0000000100036d2d3200000000",
      "{throttle_time_ms=2142289758, topics=[{name=\"m-2\", partitions=[]}]}" },
    { "delete_records_response", 2,
      "e2c17f9c020672616e6765020000000177f9253a9ee7debb8000000000",
      "{throttle_time_ms=-490635364, topics=[{name=\"range\", partitions=[{partition_index=1, low_watermark=8644981893418704571"
      ", error_code=-32768}]}]}" },
    { "init_producer_id_request", 0,
      "00036d2d3200000054",
      "{transactional_id=\"m-2\", transaction_timeout_ms=84}" },
    { "init_producer_id_request", 1,
      "ffff0000005a",
      "{transactional_id=null, transaction_timeout_ms=90}" },
    { "init_producer_id_request", 2,
      "02610000003500",
      "{transactional_id=\"a\", transaction_timeout_ms=53}" },
    { "init_producer_id_request", 3,
      "066772c3bc6e0000005b80000000000000007f7300",
      "{transactional_id=\"grün\", transaction_timeout_ms=91, producer_id=-9223372036854775808, producer_epoch=32627}" },
    { "init_producer_id_request", 4,
      "08746f7069632d3143db7c450000000000000054003000",
      "{transactional_id=\"topic-1\", transaction_timeout_ms=1138457669, producer_id=84, producer_epoch=48}" },
    { "init_producer_id_request", 5,
      "0672616e67657fffffff7a4a65feb9ac8ff9800000",
      "{transactional_id=\"range\", transaction_timeout_ms=2147483647, producer_id=8811967765614989305, producer_epoch=-32768}" },
    { "init_producer_id_response", 0,
      "0000001480007fffffffffffffff0033",
      "{throttle_time_ms=20, error_code=-32768, producer_id=9223372036854775807, producer_epoch=51}" },
    { "init_producer_id_response", 1,
      "7fffffff00117fffffffffffffffdb3a",
      "{throttle_time_ms=2147483647, error_code=17, producer_id=9223372036854775807, producer_epoch=-9414}" },
    { "init_producer_id_response", 2,
      "00000014001c0000000000000048000400",
      "{throttle_time_ms=20, error_code=28, producer_id=72, producer_epoch=4}" },
    { "init_producer_id_response", 3,
      "8000000000257fffffffffffffff000b00",
      "{throttle_time_ms=-2147483648, error_code=37, producer_id=9223372036854775807, producer_epoch=11}" },
    { "init_producer_id_response", 4,
      "3a67d662fffe000000000000002e004100",
      "{throttle_time_ms=979883618, error_code=-2, producer_id=46, producer_epoch=65}" },
    { "init_producer_id_response", 5,
      "00000032001dfffffffffffffffe7fff00",
      "{throttle_time_ms=50, error_code=29, producer_id=-2, producer_epoch=32767}" },
    { "describe_configs_request", 1,
      "0000000000",
      "{resources=[], include_synonyms=false}" },
    { "describe_configs_request", 2,
      "00000002c100016100000001000572616e6765260003782e7900000001000000",
      "{resources=[{resource_type=-63, resource_name=\"a\", configuration_keys=[\"range\"]}, {resource_type=38, resource_name="
      "\"x.y\", configuration_keys=[\"\"]}], include_synonyms=false}" },
    { "describe_configs_request", 3,
      "00000001f30007746f7069632d31ffffffff0000",
      "{resources=[{resource_type=-13, resource_name=\"topic-1\", configuration_keys=null}], include_synonyms=false, include_do"
      "cumentation=false}" },
    { "describe_configs_request", 4,
      "01000000",
      "{resources=[], include_synonyms=false, include_documentation=false}" },
    { "describe_configs_response", 1,
      "00000056000000023a7100046e6f64655f00000000000100036d2d3200056772c3bc6e01800000000000005b00066f72646572738000016b00000001"
      "00016bffff012b000000000100016100066f726465727371",
      "{throttle_time_ms=86, results=[{error_code=14961, error_message=\"node\", resource_type=95, resource_name=\"\", configs="
      "[{name=\"m-2\", value=\"grün\", read_only=true, config_source=-128, is_sensitive=false, synonyms=[]}]}, {error_code=91,"
      " error_message=\"orders\", resource_type=-128, resource_name=\"k\", configs=[{name=\"k\", value=null, read_only=true, co"
      "nfig_source=43, is_sensitive=false, synonyms=[{name=\"a\", value=\"orders\", source=113}]}]}]}" },
    { "describe_configs_response", 2,
      "0000004b00000002000900046e6f64651d000572616e676500000001000572616e6765000572616e6765006000000000007fff00056772c3bc6e7f00"
      "03782e7900000000",
      "{throttle_time_ms=75, results=[{error_code=9, error_message=\"node\", resource_type=29, resource_name=\"range\", configs"
      "=[{name=\"range\", value=\"range\", read_only=false, config_source=96, is_sensitive=false, synonyms=[]}]}, {error_code=3"
      "2767, error_message=\"grün\", resource_type=127, resource_name=\"x.y\", configs=[]}]}" },
    { "describe_configs_response", 3,
      "7fffffff000000017fff00056772c3bc6e5e0007746f7069632d31000000020003782e790007746f7069632d310080010000000100016b00036d2d32"
      "a27fffff0007746f7069632d3100016b012801000000010003782e79ffff7f1c00066f7264657273",
      "{throttle_time_ms=2147483647, results=[{error_code=32767, error_message=\"grün\", resource_type=94, resource_name=\"top"
      "ic-1\", configs=[{name=\"x.y\", value=\"topic-1\", read_only=false, config_source=-128, is_sensitive=true, synonyms=[{na"
      "me=\"k\", value=\"m-2\", source=-94}], config_type=127, documentation=null}, {name=\"topic-1\", value=\"k\", read_only=t"
      "rue, config_source=40, is_sensitive=true, synonyms=[{name=\"x.y\", value=null, source=127}], config_type=28, documentati"
      "on=\"orders\"}]}]}" },
    { "describe_configs_response", 4,
      "d562dd710280000672616e67657f046d2d32030261076f726465727300800003066772c3bc6e0672616e676545000261076f726465727382001e0478"
      "2e790004782e7900017f01020261056e6f64657f008000000000",
      "{throttle_time_ms=-714941071, results=[{error_code=-32768, error_message=\"range\", resource_type=127, resource_name=\"m"
      "-2\", configs=[{name=\"a\", value=\"orders\", read_only=false, config_source=-128, is_sensitive=false, synonyms=[{name="
      "\"grün\", value=\"range\", source=69}, {name=\"a\", value=\"orders\", source=-126}], config_type=30, documentation=\"x."
      "y\"}, {name=\"x.y\", value=null, read_only=true, config_source=127, is_sensitive=true, synonyms=[{name=\"a\", value=\"no"
      "de\", source=127}], config_type=-128, documentation=null}]}]}" },
    { "describe_cluster_request", 0,
      "0000",
      "{include_cluster_authorized_operations=false}" },
    { "describe_cluster_request", 1,
      "004200",
      "{include_cluster_authorized_operations=false, endpoint_type=66}" },
    { "describe_cluster_request", 2,
      "00590000",
      "{include_cluster_authorized_operations=false, endpoint_type=89, include_fenced_brokers=false}" },
    { "describe_cluster_response", 0,
      "6fe00a697fff076f7264657273056e6f6465e16370d6027fffffff04782e7900000002056e6f6465007fffffff00",
      "{throttle_time_ms=1876953705, error_code=32767, error_message=\"orders\", cluster_id=\"node\", controller_id=-513576746,"
      " brokers=[{broker_id=2147483647, host=\"x.y\", port=2, rack=\"node\"}], cluster_authorized_operations=2147483647}" },
    { "describe_cluster_response", 1,
      "000000458000002804782e79800000000280000000046d2d32632fb66408746f7069632d31000000005500",
      "{throttle_time_ms=69, error_code=-32768, error_message=null, endpoint_type=40, cluster_id=\"x.y\", controller_id=-214748"
      "3648, brokers=[{broker_id=-2147483648, host=\"m-2\", port=1664071268, rack=\"topic-1\"}], cluster_authorized_operations="
      "85}" },
    { "describe_cluster_response", 2,
      "80000000800000c90261000000630280000000056e6f64657fffffff046d2d3201008000000000",
      "{throttle_time_ms=-2147483648, error_code=-32768, error_message=null, endpoint_type=-55, cluster_id=\"a\", controller_id"
      "=99, brokers=[{broker_id=-2147483648, host=\"node\", port=2147483647, rack=\"m-2\", is_fenced=true}], cluster_authorized"
      "_operations=-2147483648}" },
    { "create_partitions_request", 0,
      "000000020001610000003cffffffff00008000000000000001000000020000002e000000440000003800",
      "{topics=[{name=\"a\", count=60, assignments=null}, {name=\"\", count=-2147483648, assignments=[{broker_ids=[46, 68]}]}],"
      " timeout_ms=56, validate_only=false}" },
    { "create_partitions_request", 1,
      "0000000100066f7264657273898eec680000000100000001e738f0e07fffffff00",
      "{topics=[{name=\"orders\", count=-1987122072, assignments=[{broker_ids=[-415698720]}]}], timeout_ms=2147483647, validate"
      "_only=false}" },
    { "create_partitions_request", 2,
      "02056e6f6465000000430100800000000100",
      "{topics=[{name=\"node\", count=67, assignments=[]}], timeout_ms=-2147483648, validate_only=true}" },
    { "create_partitions_request", 3,
      "02076f72646572737fffffff020100007fffffff0100",
      "{topics=[{name=\"orders\", count=2147483647, assignments=[{broker_ids=[]}]}], timeout_ms=2147483647, validate_only=true}" },
    { "create_partitions_response", 0,
      "000000270000000100016b005800046e6f6465",
      "{throttle_time_ms=39, results=[{name=\"k\", error_code=88, error_message=\"node\"}]}" },
    { "create_partitions_response", 1,
      "0000005900000001000572616e67658000ffff",
      "{throttle_time_ms=89, results=[{name=\"range\", error_code=-32768, error_message=null}]}" },
    { "create_partitions_response", 2,
      "7fffffff020672616e67650005000000",
      "{throttle_time_ms=2147483647, results=[{name=\"range\", error_code=5, error_message=null}]}" },
    { "create_partitions_response", 3,
      "000000390100",
      "{throttle_time_ms=57, results=[]}" },
    { "delete_groups_request", 0,
      "0000000100056772c3bc6e",
      "{groups_names=[\"grün\"]}" },
    { "delete_groups_request", 1,
      "00000001000572616e6765",
      "{groups_names=[\"range\"]}" },
    { "delete_groups_request", 2,
      "02046d2d3200",
      "{groups_names=[\"m-2\"]}" },
    { "delete_groups_response", 0,
      "800000000000000100001389",
      "{throttle_time_ms=-2147483648, results=[{group_id=\"\", error_code=5001}]}" },
    { "delete_groups_response", 1,
      "5b2845b400000000",
      "{throttle_time_ms=1529365940, results=[]}" },
    { "delete_groups_response", 2,
      "7fffffff0100",
      "{throttle_time_ms=2147483647, results=[]}" },
    { "offset_for_leader_epoch_request", 2,
      "00000000",
      "{topics=[]}" },
    { "offset_for_leader_epoch_request", 3,
      "80000000000000010007746f7069632d3100000000",
      "{replica_id=-2147483648, topics=[{topic=\"topic-1\", partitions=[]}]}" },
    { "offset_for_leader_epoch_request", 4,
      "8000000002026b0200000046d295333f80000000000000",
      "{replica_id=-2147483648, topics=[{topic=\"k\", partitions=[{partition=70, current_leader_epoch=-761973953, leader_epoch="
      "-2147483648}]}]}" },
    { "offset_for_leader_epoch_response", 2,
      "7fffffff000000010003782e79000000017fff0000004d7fffffff0000000000000027",
      "{throttle_time_ms=2147483647, topics=[{topic=\"x.y\", partitions=[{error_code=32767, partition=77, leader_epoch=21474836"
      "47, end_offset=39}]}]}" },
    { "offset_for_leader_epoch_response", 3,
      "000000300000000100016b000000028000000000570c203c597fffffffffffffff00600000005d0000004a0000000000000011",
      "{throttle_time_ms=48, topics=[{topic=\"k\", partitions=[{error_code=-32768, partition=87, leader_epoch=203439193, end_of"
      "fset=9223372036854775807}, {error_code=96, partition=93, leader_epoch=74, end_offset=17}]}]}" },
    { "offset_for_leader_epoch_response", 4,
      "00000054030261027fff7fffffff0000004780000000000000000000066772c3bc6e03ab5d80000000269b0cc680000000000000000080007fffffff"
      "7fffffffd0d00e4e12b64e9d000000",
      "{throttle_time_ms=84, topics=[{topic=\"a\", partitions=[{error_code=32767, partition=2147483647, leader_epoch=71, end_of"
      "fset=-9223372036854775808}]}, {topic=\"grün\", partitions=[{error_code=-21667, partition=-2147483648, leader_epoch=6476"
      "95558, end_offset=-9223372036854775808}, {error_code=-32768, partition=2147483647, leader_epoch=2147483647, end_offset=-"
      "3400201990180548963}]}]}" },
    { "incremental_alter_configs_request", 0,
      "000000024b00066f7264657273000000010007746f7069632d310800046e6f64657f0007746f7069632d310000000200016154ffff00056772c3bc6e"
      "7fffff01",
      "{resources=[{resource_type=75, resource_name=\"orders\", configs=[{name=\"topic-1\", config_operation=8, value=\"node\"}"
      "]}, {resource_type=127, resource_name=\"topic-1\", configs=[{name=\"a\", config_operation=84, value=null}, {name=\"grün"
      "\", config_operation=127, value=null}]}], validate_only=true}" },
    { "incremental_alter_configs_request", 1,
      "0213056e6f646503026b23046d2d3200056e6f6465080100000000",
      "{resources=[{resource_type=19, resource_name=\"node\", configs=[{name=\"k\", config_operation=35, value=\"m-2\"}, {name="
      "\"node\", config_operation=8, value=\"\"}]}], validate_only=false}" },
    { "incremental_alter_configs_response", 0,
      "2f37382000000000",
      "{throttle_time_ms=792148000, responses=[]}" },
    { "incremental_alter_configs_response", 1,
      "7fffffff02005d076f72646572736f056e6f64650000",
      "{throttle_time_ms=2147483647, responses=[{error_code=93, error_message=\"orders\", resource_type=111, resource_name=\"no"
      "de\"}]}" },
    { "describe_topic_partitions_request", 0,
      "02046d2d32000000002401066772c3bc6e000000350000",
      "{topics=[{name=\"m-2\"}], response_partition_limit=36, cursor={topic_name=\"grün\", partition_index=53}}" },
    { "describe_topic_partitions_response", 0,
      "80000000027fff08746f7069632d31d646a8ac952608cea0820e30c64bc6ba000380006e16140e345f97617fffffff037fffffff7684fd9b027fffff"
      "ff0300000024aaeb8879037fffffff000000280200000032007fff0000003b80000000800000000101027fffffff000100000000310001076f726465"
      "727311ad9d0d0000",
      "{throttle_time_ms=-2147483648, topics=[{error_code=32767, name=\"topic-1\", topic_id=1kaorJUmCM6ggg4wxkvGug, is_internal"
      "=false, partitions=[{error_code=-32768, partition_index=1846940686, leader_id=878679905, leader_epoch=2147483647, replic"
      "a_nodes=[2147483647, 1988427163], isr_nodes=[2147483647], eligible_leader_replicas=[36, -1427404679], last_known_elr=[21"
      "47483647, 40], offline_replicas=[50]}, {error_code=32767, partition_index=59, leader_id=-2147483648, leader_epoch=-21474"
      "83648, replica_nodes=[], isr_nodes=[], eligible_leader_replicas=[2147483647], last_known_elr=null, offline_replicas=[]}]"
      ", topic_authorized_operations=49}], next_cursor={topic_name=\"orders\", partition_index=296590605}}" },
    { "offset_commit_key", 0,
      "00016100016b0000000b",
      "{group=\"a\", topic=\"k\", partition=11}" },
    { "offset_commit_value", 0,
      "000000000000002600056772c3bc6e246bf7c86b9793b5",
      "{offset=38, metadata=\"grün\", commit_timestamp=2624463648044061621}" },
    { "offset_commit_value", 1,
      "58e7cc66703a495300036d2d32a31d88bd9e8c21ff7fffffffffffffff",
      "{offset=6406313735299418451, metadata=\"m-2\", commit_timestamp=-6693043123212508673, expire_timestamp=92233720368547758"
      "07}" },
    { "offset_commit_value", 2,
      "00000000000000460003782e797fffffffffffffff",
      "{offset=70, metadata=\"x.y\", commit_timestamp=9223372036854775807}" },
    { "offset_commit_value", 3,
      "000000000000000c0000005400036d2d327fffffffffffffff",
      "{offset=12, leader_epoch=84, metadata=\"m-2\", commit_timestamp=9223372036854775807}" },
    { "offset_commit_value", 4,
      "7fffffffffffffff0000005f017fffffffffffffff00",
      "{offset=9223372036854775807, leader_epoch=95, metadata=\"\", commit_timestamp=9223372036854775807}" },
    { "group_metadata_key", 0,
      "00046e6f6465",
      "{group=\"node\"}" },
    { "group_metadata_value", 0,
      "0007746f7069632d3100000052ffff0003782e7900000001000572616e67650007746f7069632d310003782e790000000600000003c566e700000004"
      "7aee09aa",
      "{protocol_type=\"topic-1\", generation=82, protocol=null, leader=\"x.y\", members=[{member_id=\"range\", client_id=\"top"
      "ic-1\", client_host=\"x.y\", session_timeout=6, subscription=<3 bytes>, assignment=<4 bytes>}]}" },
    { "group_metadata_value", 1,
      "0001618000000000016b0000000000010003782e7900066f7264657273000572616e67650000000d0000001600000006bbe6f3e1136100000003eef5"
      "5b",
      "{protocol_type=\"a\", generation=-2147483648, protocol=\"k\", leader=\"\", members=[{member_id=\"x.y\", client_id=\"orde"
      "rs\", client_host=\"range\", rebalance_timeout=13, session_timeout=22, subscription=<6 bytes>, assignment=<3 bytes>}]}" },
    { "group_metadata_value", 2,
      "0001610000000cffff00016100000000000000430000000100056772c3bc6e00046e6f646500056772c3bc6e7fffffff0000004b00000003c26b8700"
      "0000058101bcbfbc",
      "{protocol_type=\"a\", generation=12, protocol=null, leader=\"a\", current_state_timestamp=67, members=[{member_id=\"grü"
      "n\", client_id=\"node\", client_host=\"grün\", rebalance_timeout=2147483647, session_timeout=75, subscription=<3 bytes>"
      ", assignment=<5 bytes>}]}" },
    { "group_metadata_value", 3,
      "00016180000000000000016bc81dd1d7c2eafd3f0000000100066f726465727300056772c3bc6e0007746f7069632d3100016b80000000f5ee7dd100"
      "0000014f0000000168",
      "{protocol_type=\"a\", generation=-2147483648, protocol=\"\", leader=\"k\", current_state_timestamp=-4026831767181001409,"
      " members=[{member_id=\"orders\", group_instance_id=\"grün\", client_id=\"topic-1\", client_host=\"k\", rebalance_timeou"
      "t=-2147483648, session_timeout=-168919599, subscription=<1 bytes>, assignment=<1 bytes>}]}" },
    { "group_metadata_value", 4,
      "026145bcc4df026b0672616e67657fffffffffffffff0208746f7069632d3101026b01000000290000001e033176060c5be37f630000",
      "{protocol_type=\"a\", generation=1169999071, protocol=\"k\", leader=\"range\", current_state_timestamp=92233720368547758"
      "07, members=[{member_id=\"topic-1\", group_instance_id=\"\", client_id=\"k\", client_host=\"\", rebalance_timeout=41, se"
      "ssion_timeout=30, subscription=<2 bytes>, assignment=<5 bytes>}]}" },
    { "consumer_protocol_subscription", 0,
      "00000002000572616e676500066f726465727300000001e0",
      "{topics=[\"range\", \"orders\"], user_data=<1 bytes>}" },
    { "consumer_protocol_subscription", 1,
      "000000010007746f7069632d31ffffffff000000010001610000000180000000",
      "{topics=[\"topic-1\"], user_data=null, owned_partitions=[{topic=\"a\", partitions=[-2147483648]}]}" },
    { "consumer_protocol_subscription", 2,
      "0000000200036d2d3200016b000000000000000100016b0000000000000051",
      "{topics=[\"m-2\", \"k\"], user_data=<0 bytes>, owned_partitions=[{topic=\"k\", partitions=[]}], generation_id=81}" },
    { "consumer_protocol_subscription", 3,
      "0000000100056772c3bc6e00000001040000000100066f726465727300000001800000007fffffff00036d2d32",
      "{topics=[\"grün\"], user_data=<1 bytes>, owned_partitions=[{topic=\"orders\", partitions=[-2147483648]}], generation_id"
      "=2147483647, rack_id=\"m-2\"}" },
    { "consumer_protocol_assignment", 0,
      "000000010003782e79000000017fffffff00000005c6a230c449",
      "{assigned_partitions=[{topic=\"x.y\", partitions=[2147483647]}], user_data=<5 bytes>}" },
    { "consumer_protocol_assignment", 1,
      "000000010007746f7069632d3100000000000000012b",
      "{assigned_partitions=[{topic=\"topic-1\", partitions=[]}], user_data=<1 bytes>}" },
    { "consumer_protocol_assignment", 2,
      "0000000200056772c3bc6e0000000180000000000000000001529949fc00000002c1a0",
      "{assigned_partitions=[{topic=\"grün\", partitions=[-2147483648]}, {topic=\"\", partitions=[1385777660]}], user_data=<2 "
      "bytes>}" },
    { "consumer_protocol_assignment", 3,
      "00000000000000049d7c1c93",
      "{assigned_partitions=[], user_data=<4 bytes>}" },
    { "register_broker_record", 0,
      "00000028574f461b5b78a043f4bb1beb5c9da0457fffffffffffffff0304782e79066772c3bc6e0000001a000261026b00248000000304782e798000"
      "7fff00017fff00120008746f7069632d310100",
      "{broker_id=40, incarnation_id=V09GG1t4oEP0uxvrXJ2gRQ, broker_epoch=9223372036854775807, end_points=[{name=\"x.y\", host="
      "\"grün\", port=0, security_protocol=26}, {name=\"a\", host=\"k\", port=36, security_protocol=-32768}], features=[{name="
      "\"x.y\", min_supported_version=-32768, max_supported_version=32767}, {name=\"\", min_supported_version=32767, max_suppor"
      "ted_version=18}], rack=\"topic-1\", fenced=true}" },
    { "register_broker_record", 1,
      "000000492cd131c19bce184fb35f9bf8688d6c0e000000000000004102026b026b0bac800000020672616e67657fff006400056e6f6465000000",
      "{broker_id=73, incarnation_id=LNExwZvOGE-zX5v4aI1sDg, broker_epoch=65, end_points=[{name=\"k\", host=\"k\", port=2988, s"
      "ecurity_protocol=-32768}], features=[{name=\"range\", min_supported_version=32767, max_supported_version=100}], rack=\"n"
      "ode\", fenced=false, in_controlled_shutdown=false}" },
    { "register_broker_record", 2,
      "00000056006a405f81282f4ce5e70f272f7ed4ec5841292fb5d5835d8403026b046d2d320055000f000101e634003e0002026b002f80000000010100",
      "{broker_id=86, is_migrating_zk_broker=false, incarnation_id=akBfgSgvTOXnDycvftTsWA, broker_epoch=4695336544528194948, en"
      "d_points=[{name=\"k\", host=\"m-2\", port=85, security_protocol=15}, {name=\"\", host=\"\", port=58932, security_protoco"
      "l=62}], features=[{name=\"k\", min_supported_version=47, max_supported_version=-32768}], rack=null, fenced=true, in_cont"
      "rolled_shutdown=true}" },
    { "register_broker_record", 3,
      "8000000000e9abd7a57f63d4f37e6c524e9c3c1793788266026f97c9e0010100000100",
      "{broker_id=-2147483648, is_migrating_zk_broker=false, incarnation_id=6avXpX9j1PN-bFJOnDwXkw, broker_epoch=86836151921719"
      "23936, end_points=[], features=[], rack=null, fenced=false, in_controlled_shutdown=true}" },
    { "register_broker_record", 4,
      "0000002f004998b03556ed3e614e132a847b974aa380000000000000000103076f7264657273c81a7fff00056e6f646580009e2600056e6f64650101"
      "01012103d0721106c12360d86e89f7a465dbca74846425c9c077e79c6bed6092ed16c9ef",
      "{broker_id=47, is_migrating_zk_broker=false, incarnation_id=SZiwNVbtPmFOEyqEe5dKow, broker_epoch=-9223372036854775808, e"
      "nd_points=[], features=[{name=\"orders\", min_supported_version=-14310, max_supported_version=32767}, {name=\"node\", mi"
      "n_supported_version=-32768, max_supported_version=-25050}], rack=\"node\", fenced=true, in_controlled_shutdown=true, cor"
      "doned_log_dirs=[0HIRBsEjYNhuifekZdvKdA, hGQlycB355xr7WCS7RbJ7w]}" },
    { "unregister_broker_record", 0,
      "80000000800000000000000000",
      "{broker_id=-2147483648, broker_epoch=-9223372036854775808}" },
    { "topic_record", 0,
      "076f726465727383d15bd44349e9b1b10f20a68db6b31f00",
      "{name=\"orders\", topic_id=g9Fb1ENJ6bGxDyCmjbazHw}" },
    { "partition_record", 0,
      "d3a34ac61db930c641d780991b4de04882475331030000004500000025030000003e7fffffff0330c50690af14a179027fffffff80000000e269cbb2"
      "7fffffff0100017f",
      "{partition_id=-744273210, topic_id=HbkwxkHXgJkbTeBIgkdTMQ, replicas=[69, 37], isr=[62, 2147483647], removing_replicas=[8"
      "18218640, -1357602439], adding_replicas=[2147483647], leader=-2147483648, leader_recovery_state=127, leader_epoch=-49638"
      "3054, partition_epoch=2147483647}" },
    { "partition_record", 1,
      "0000004d3b9052346dcb300c615519e00fec8bb002fd161044024b020a49020000003f037fffffff000000180000000300000010000000470247011b"
      "9898c43159140ca7746d21a72201000106",
      "{partition_id=77, topic_id=O5BSNG3LMAxhVRngD-yLsA, replicas=[-48885692], isr=[1258424905], removing_replicas=[63], addin"
      "g_replicas=[2147483647, 24], leader=3, leader_recovery_state=6, leader_epoch=16, partition_epoch=71, directories=[RwEbmJ"
      "jEMVkUDKd0bSGnIg]}" },
    { "partition_record", 2,
      "0000001cd6bd2a74b439ccab0aeb8695fab471660300000002800000000380000000000000120200000049020153f8c97fffffff7fffffff00000008"
      "033ee6cffa1360becc8c92e436c9dfe72a403f855f62b38195f72522634a0145ad010105027fffffff",
      "{partition_id=28, topic_id=1r0qdLQ5zKsK64aV-rRxZg, replicas=[2, -2147483648], isr=[-2147483648, 18], removing_replicas=["
      "73], adding_replicas=[22280393], leader=2147483647, leader_epoch=2147483647, partition_epoch=8, directories=[PubP-hNgvsy"
      "MkuQ2yd_nKg, QD-FX2KzgZX3JSJjSgFFrQ], eligible_leader_replicas=[2147483647]}" },
    { "config_record", 0,
      "4e04782e7904782e79066772c3bc6e00",
      "{resource_type=78, resource_name=\"x.y\", name=\"x.y\", value=\"grün\"}" },
    { "partition_change_record", 0,
      "0000006202dd8cfa15d8fc536f4c31f99e8505dd02000502c48a8e5a0309037fffffff0000003f",
      "{partition_id=98, topic_id=At2M-hXY_FNvTDH5noUF3Q, isr=[-997552550], removing_replicas=[2147483647, 63]}" },
    { "partition_change_record", 1,
      "000000102b5e45d11752e6f974aef6300ff9da4907000502000000150104ffffffff0205020000002a0305027fffffff040903fe0767a20000001905"
      "017f0821038b2deb28b1f7f21a073f0d6b557e93d378c8a38c3a881128d22aeb399a29c2ee",
      "{partition_id=16, topic_id=K15F0RdS5vl0rvYwD_naSQ, isr=[21], leader=-1, replicas=[42], removing_replicas=[2147483647], a"
      "dding_replicas=[-33069150, 25], leader_recovery_state=127, directories=[iy3rKLH38hoHPw1rVX6T0w, eMijjDqIESjSKus5minC7g]}" },
    { "partition_change_record", 2,
      "7fffffff529dde858032a238999188574933933a060005020000002c0104000000510205020000003504010105017f06050200000012",
      "{partition_id=2147483647, topic_id=Up3ehYAyojiZkYhXSTOTOg, isr=[44], leader=81, replicas=[53], adding_replicas=[], leade"
      "r_recovery_state=127, eligible_leader_replicas=[18]}" },
    { "fence_broker_record", 0,
      "80000000ffffffffffffffff00",
      "{id=-2147483648, epoch=-1}" },
    { "unfence_broker_record", 0,
      "da08aebb7fffffffffffffff00",
      "{id=-636965189, epoch=9223372036854775807}" },
    { "remove_topic_record", 0,
      "a594fd0f8c3e2a0f4801e4293ae4fccc00",
      "{topic_id=pZT9D4w-Kg9IAeQpOuT8zA}" },
    { "feature_level_record", 0,
      "0672616e6765800000",
      "{name=\"range\", feature_level=-32768}" },
    { "producer_ids_record", 0,
      "0000003d7fffffffffffffff000000000000006400",
      "{broker_id=61, broker_epoch=9223372036854775807, next_producer_id=100}" },
    { "broker_registration_change_record", 0,
      "8e0803c97fffffffffffffff0100011f",
      "{broker_id=-1912077367, broker_epoch=9223372036854775807, fenced=31}" },
    { "broker_registration_change_record", 1,
      "800000007fffffffffffffff020001470101b9",
      "{broker_id=-2147483648, broker_epoch=9223372036854775807, fenced=71, in_controlled_shutdown=-71}" },
    { "broker_registration_change_record", 2,
      "fffffffe7fffffffffffffff020101420221039ed4c63a90903573d434c116caba761aff7232a34617a64ea0ca16fd256fd8d6",
      "{broker_id=-2, broker_epoch=9223372036854775807, in_controlled_shutdown=66, log_dirs=[ntTGOpCQNXPUNMEWyrp2Gg, _3Iyo0YXpk"
      "6gyhb9JW_Y1g]}" },
    { "broker_registration_change_record", 3,
      "8000000080000000000000000200017f0221032605b13de4ab5cc304f43a910ad399ace09926e183f0fd7c325b3d388de8a13e",
      "{broker_id=-2147483648, broker_epoch=-9223372036854775808, fenced=127, log_dirs=[JgWxPeSrXMME9DqRCtOZrA, 4Jkm4YPw_XwyWz0"
      "4jeihPg]}" },
    { "no_op_record", 0,
      "00",
      "{}" },
    { "begin_transaction_record", 0,
      "00",
      "{}" },
    { "end_transaction_record", 0,
      "00",
      "{}" },
    { "abort_transaction_record", 0,
      "0100020261",
      "{reason=\"a\"}" },
    { "register_controller_record", 0,
      "80000000be2df86fc6bccdc261495a56e41069c1000204782e79076f7264657273ffff80000002056e6f6465002b000c0000",
      "{controller_id=-2147483648, incarnation_id=vi34b8a8zcJhSVpW5BBpwQ, zk_migration_ready=false, end_points=[{name=\"x.y\", "
      "host=\"orders\", port=65535, security_protocol=-32768}], features=[{name=\"node\", min_supported_version=43, max_support"
      "ed_version=12}]}" },
    { "add_partitions_to_txn_request", 0,
      "0000744e2045c44d8c837971000000010000000000017fffffff",
      "{v3_and_below_transactional_id=\"\", v3_and_below_producer_id=8380671440601320579, v3_and_below_producer_epoch=31089, v3_a"
      "nd_below_topics=[{name=\"\", partitions=[2147483647]}]}" },
    { "add_partitions_to_txn_request", 1,
      "0000f21857665d0ff20880000000000100066f72646572730000000255acb86700000034",
      "{v3_and_below_transactional_id=\"\", v3_and_below_producer_id=-1001954819930328568, v3_and_below_producer_epoch=-32768, v3"
      "_and_below_topics=[{name=\"orders\", partitions=[1437382759, 52]}]}" },
    { "add_partitions_to_txn_request", 2,
      "000080000000000000007fff00000002000572616e6765000000000003782e790000000180000000",
      "{v3_and_below_transactional_id=\"\", v3_and_below_producer_id=-9223372036854775808, v3_and_below_producer_epoch=32767, v3_"
      "and_below_topics=[{name=\"range\", partitions=[]}, {name=\"x.y\", partitions=[-2147483648]}]}" },
    { "add_partitions_to_txn_request", 3,
      "0100000000000000127fff0308746f7069632d3101000672616e6765010000",
      "{v3_and_below_transactional_id=\"\", v3_and_below_producer_id=18, v3_and_below_producer_epoch=32767, v3_and_below_topics=["
      "{name=\"topic-1\", partitions=[]}, {name=\"range\", partitions=[]}]}" },
    { "add_partitions_to_txn_request", 4,
      "0100",
      "{transactions=[]}" },
    { "add_partitions_to_txn_request", 5,
      "0201000000000000003700460103076f72646572730346bf03097fffffff0004782e7901000000",
      "{transactions=[{transactional_id=\"\", producer_id=55, producer_epoch=70, verify_only=true, topics=[{name=\"orders\", partit"
      "ions=[1186923273, 2147483647]}, {name=\"x.y\", partitions=[]}]}]}" },
    { "add_partitions_to_txn_response", 0,
      "8000000000000000",
      "{throttle_time_ms=-2147483648, results_by_topic_v3_and_below=[]}" },
    { "add_partitions_to_txn_response", 1,
      "8000000000000000",
      "{throttle_time_ms=-2147483648, results_by_topic_v3_and_below=[]}" },
    { "add_partitions_to_txn_response", 2,
      "80000000000000020003782e79000000027fffffff7fff7fffffff7fff00056772c3bc6e000000027fffffff0027800000000025",
      "{throttle_time_ms=-2147483648, results_by_topic_v3_and_below=[{name=\"x.y\", results_by_partition=[{partition_index=214748"
      "3647, partition_error_code=32767}, {partition_index=2147483647, partition_error_code=32767}]}, {name=\"grün\", results_by_"
      "partition=[{partition_index=2147483647, partition_error_code=39}, {partition_index=-2147483648, partition_error_code=37}"
      "]}]}" },
    { "add_partitions_to_txn_response", 3,
      "800000000208746f7069632d31027fffffff7fff000000",
      "{throttle_time_ms=-2147483648, results_by_topic_v3_and_below=[{name=\"topic-1\", results_by_partition=[{partition_index=21"
      "47483647, partition_error_code=32767}]}]}" },
    { "add_partitions_to_txn_response", 4,
      "80000000001d020672616e676503056e6f6465030000001b0039003048d5e280000000076f7264657273026b607a39800000000000",
      "{throttle_time_ms=-2147483648, error_code=29, results_by_transaction=[{transactional_id=\"range\", topic_results=[{name=\"n"
      "ode\", results_by_partition=[{partition_index=27, partition_error_code=57}, {partition_index=810079714, partition_error_c"
      "ode=-32768}]}, {name=\"orders\", results_by_partition=[{partition_index=1801484857, partition_error_code=-32768}]}]}]}" },
    { "add_partitions_to_txn_response", 5,
      "80000000004a0100",
      "{throttle_time_ms=-2147483648, error_code=74, results_by_transaction=[]}" },
    { "add_offsets_to_txn_request", 0,
      "00046e6f646580000000000000007fff00046e6f6465",
      "{transactional_id=\"node\", producer_id=-9223372036854775808, producer_epoch=32767, group_id=\"node\"}" },
    { "add_offsets_to_txn_request", 1,
      "00046e6f6465000000000000005b001000056772c3bc6e",
      "{transactional_id=\"node\", producer_id=91, producer_epoch=16, group_id=\"grün\"}" },
    { "add_offsets_to_txn_request", 2,
      "00046e6f6465d4e6bca7578db38780000003782e79",
      "{transactional_id=\"node\", producer_id=-3105587466110913657, producer_epoch=-32768, group_id=\"x.y\"}" },
    { "add_offsets_to_txn_request", 3,
      "056e6f64657fffffffffffffff7fff026100",
      "{transactional_id=\"node\", producer_id=9223372036854775807, producer_epoch=32767, group_id=\"a\"}" },
    { "add_offsets_to_txn_request", 4,
      "056e6f64658000000000000000260808746f7069632d3100",
      "{transactional_id=\"node\", producer_id=-9223372036854775808, producer_epoch=9736, group_id=\"topic-1\"}" },
    { "add_offsets_to_txn_response", 0,
      "22751fc18000",
      "{throttle_time_ms=578101185, error_code=-32768}" },
    { "add_offsets_to_txn_response", 1,
      "67546b618000",
      "{throttle_time_ms=1733585761, error_code=-32768}" },
    { "add_offsets_to_txn_response", 2,
      "bfb0e5818000",
      "{throttle_time_ms=-1078925951, error_code=-32768}" },
    { "add_offsets_to_txn_response", 3,
      "049031217fff00",
      "{throttle_time_ms=76558625, error_code=32767}" },
    { "add_offsets_to_txn_response", 4,
      "35f24e40001200",
      "{throttle_time_ms=905072192, error_code=18}" },
    { "end_txn_request", 0,
      "0001612cc7679f83b24b08800000",
      "{transactional_id=\"a\", producer_id=3226661592841210632, producer_epoch=-32768, committed=false}" },
    { "end_txn_request", 1,
      "0001617fffffffffffffff7fff01",
      "{transactional_id=\"a\", producer_id=9223372036854775807, producer_epoch=32767, committed=true}" },
    { "end_txn_request", 2,
      "00016180000000000000007fff00",
      "{transactional_id=\"a\", producer_id=-9223372036854775808, producer_epoch=32767, committed=false}" },
    { "end_txn_request", 3,
      "026100000000000000042ad90100",
      "{transactional_id=\"a\", producer_id=4, producer_epoch=10969, committed=true}" },
    { "end_txn_request", 4,
      "0261da647374b8046e56003c0000",
      "{transactional_id=\"a\", producer_id=-2709914130629497258, producer_epoch=60, committed=false}" },
    { "end_txn_request", 5,
      "02618000000000000000002c0100",
      "{transactional_id=\"a\", producer_id=-9223372036854775808, producer_epoch=44, committed=true}" },
    { "end_txn_response", 0,
      "7697ba248000",
      "{throttle_time_ms=1989655076, error_code=-32768}" },
    { "end_txn_response", 1,
      "cef434438000",
      "{throttle_time_ms=-822856637, error_code=-32768}" },
    { "end_txn_response", 2,
      "13d37fe37fff",
      "{throttle_time_ms=332627939, error_code=32767}" },
    { "end_txn_response", 3,
      "45359d04001800",
      "{throttle_time_ms=1161141508, error_code=24}" },
    { "end_txn_response", 4,
      "8a14e8a4000b00",
      "{throttle_time_ms=-1978341212, error_code=11}" },
    { "end_txn_response", 5,
      "e27162c400020000000000000035800000",
      "{throttle_time_ms=-495885628, error_code=2, producer_id=53, producer_epoch=-32768}" },
    { "write_txn_markers_request", 1,
      "0100",
      "{markers=[]}" },
    { "write_txn_markers_request", 2,
      "03e94269f41223705c7fff00030261028000000000076f72646572730100800000008000000000000000002699910003026102000000190002610100"
      "800000007f0000",
      "{markers=[{producer_id=-1638630817412190116, producer_epoch=32767, transaction_result=false, topics=[{name=\"a\", partitio"
      "n_indexes=[-2147483648]}, {name=\"orders\", partition_indexes=[]}], coordinator_epoch=-2147483648, transaction_version=-12"
      "8}, {producer_id=38, producer_epoch=-26223, transaction_result=false, topics=[{name=\"a\", partition_indexes=[25]}, {name="
      "\"a\", partition_indexes=[]}], coordinator_epoch=-2147483648, transaction_version=127}]}" },
    { "write_txn_markers_response", 1,
      "0100",
      "{markers=[]}" },
    { "write_txn_markers_response", 2,
      "037fffffffffffffff03056e6f646501000672616e67650100008000000000000000020672616e676501000000",
      "{markers=[{producer_id=9223372036854775807, topics=[{name=\"node\", partitions=[]}, {name=\"range\", partitions=[]}]}, {prod"
      "ucer_id=-9223372036854775808, topics=[{name=\"range\", partitions=[]}]}]}" },
    { "txn_offset_commit_request", 0,
      "00066f726465727300046e6f646500000000000000223465000000020003782e7900000001ee2ac378000000000000001f00056772c3bc6e00016100"
      "000001a75076047fffffffffffffff0007746f7069632d31",
      "{transactional_id=\"orders\", group_id=\"node\", producer_id=34, producer_epoch=13413, topics=[{name=\"x.y\", partitions=[{par"
      "tition_index=-299187336, committed_offset=31, committed_metadata=\"grün\"}]}, {name=\"a\", partitions=[{partition_index=-148"
      "7899132, committed_offset=9223372036854775807, committed_metadata=\"topic-1\"}]}]}" },
    { "txn_offset_commit_request", 1,
      "00066f726465727300016115bce2296e2a52a870ea000000020003782e79000000023a95472f8000000000000000ffff0000002118080e78c69a4b77"
      "0003782e790003782e790000000280000000000000000000002a000572616e67657fffffff7fffffffffffffff00066f7264657273",
      "{transactional_id=\"orders\", group_id=\"a\", producer_id=1566375437987893928, producer_epoch=28906, topics=[{name=\"x.y\", pa"
      "rtitions=[{partition_index=982861615, committed_offset=-9223372036854775808, committed_metadata=null}, {partition_index="
      "33, committed_offset=1731649968614820727, committed_metadata=\"x.y\"}]}, {name=\"x.y\", partitions=[{partition_index=-214748"
      "3648, committed_offset=42, committed_metadata=\"range\"}, {partition_index=2147483647, committed_offset=922337203685477580"
      "7, committed_metadata=\"orders\"}]}]}" },
    { "txn_offset_commit_request", 2,
      "00066f726465727300066f726465727380000000000000000032000000020000000000020000005300000000000000298000000000056772c3bc6e80"
      "00000080000000000000008000000000016100066f7264657273000000010000006080000000000000008000000000056772c3bc6e",
      "{transactional_id=\"orders\", group_id=\"orders\", producer_id=-9223372036854775808, producer_epoch=50, topics=[{name=\"\", pa"
      "rtitions=[{partition_index=83, committed_offset=41, committed_leader_epoch=-2147483648, committed_metadata=\"grün\"}, {par"
      "tition_index=-2147483648, committed_offset=-9223372036854775808, committed_leader_epoch=-2147483648, committed_metadata="
      "\"a\"}]}, {name=\"orders\", partitions=[{partition_index=96, committed_offset=-9223372036854775808, committed_leader_epoch=-"
      "2147483648, committed_metadata=\"grün\"}]}]}" },
    { "txn_offset_commit_request", 3,
      "076f726465727308746f7069632d318000000000000000800080000000076f726465727304782e790100",
      "{transactional_id=\"orders\", group_id=\"topic-1\", producer_id=-9223372036854775808, producer_epoch=-32768, generation_id=-"
      "2147483648, member_id=\"orders\", group_instance_id=\"x.y\", topics=[]}" },
    { "txn_offset_commit_request", 4,
      "076f726465727301800000000000000080007fffffff01056e6f646503010100066772c3bc6e010000",
      "{transactional_id=\"orders\", group_id=\"\", producer_id=-9223372036854775808, producer_epoch=-32768, generation_id=21474836"
      "47, member_id=\"\", group_instance_id=\"node\", topics=[{name=\"\", partitions=[]}, {name=\"grün\", partitions=[]}]}" },
    { "txn_offset_commit_request", 5,
      "076f726465727304782e79800000000000000080000000005f066772c3bc6e010204782e79020000005c80000000000000008000000008746f706963"
      "2d31000000",
      "{transactional_id=\"orders\", group_id=\"x.y\", producer_id=-9223372036854775808, producer_epoch=-32768, generation_id=95, m"
      "ember_id=\"grün\", group_instance_id=\"\", topics=[{name=\"x.y\", partitions=[{partition_index=92, committed_offset=-922337203"
      "6854775808, committed_leader_epoch=-2147483648, committed_metadata=\"topic-1\"}]}]}" },
    { "txn_offset_commit_response", 0,
      "7fffffff000000010001610000000200000062005c7fffffff001a",
      "{throttle_time_ms=2147483647, topics=[{name=\"a\", partitions=[{partition_index=98, error_code=92}, {partition_index=21474"
      "83647, error_code=26}]}]}" },
    { "txn_offset_commit_response", 1,
      "7fffffff00000000",
      "{throttle_time_ms=2147483647, topics=[]}" },
    { "txn_offset_commit_response", 2,
      "7fffffff00000000",
      "{throttle_time_ms=2147483647, topics=[]}" },
    { "txn_offset_commit_response", 3,
      "7fffffff03056e6f64650280000000002e000008746f7069632d3103800000007fff00fb5342610022000000",
      "{throttle_time_ms=2147483647, topics=[{name=\"node\", partitions=[{partition_index=-2147483648, error_code=46}]}, {name=\"t"
      "opic-1\", partitions=[{partition_index=-2147483648, error_code=32767}, {partition_index=-78429599, error_code=34}]}]}" },
    { "txn_offset_commit_response", 4,
      "7fffffff02076f7264657273010000",
      "{throttle_time_ms=2147483647, topics=[{name=\"orders\", partitions=[]}]}" },
    { "txn_offset_commit_response", 5,
      "7fffffff02066772c3bc6e010000",
      "{throttle_time_ms=2147483647, topics=[{name=\"grün\", partitions=[]}]}" },
    { "describe_producers_request", 0,
      "0304782e7902800000000004782e79010000",
      "{topics=[{name=\"x.y\", partition_indexes=[-2147483648]}, {name=\"x.y\", partition_indexes=[]}]}" },
    { "describe_producers_response", 0,
      "0000002c0208746f7069632d31010000",
      "{throttle_time_ms=44, topics=[{name=\"topic-1\", partitions=[]}]}" },
    { "describe_transactions_request", 0,
      "0100",
      "{transactional_ids=[]}" },
    { "describe_transactions_response", 0,
      "7fffffff0100",
      "{throttle_time_ms=2147483647, transaction_states=[]}" },
    { "list_transactions_request", 0,
      "02010300000000000000187fffffffffffffff00",
      "{state_filters=[\"\"], producer_id_filters=[24, 9223372036854775807]}" },
    { "list_transactions_request", 1,
      "010300000000000000168000000000000000b99ece4cc517440200",
      "{state_filters=[], producer_id_filters=[22, -9223372036854775808], duration_filter=-5071389301253127166}" },
    { "list_transactions_request", 2,
      "0208746f7069632d310280000000000000008229171c81e24f7b0100",
      "{state_filters=[\"topic-1\"], producer_id_filters=[-9223372036854775808], duration_filter=-9067690963528167557, transactio"
      "nal_id_pattern=\"\"}" },
    { "list_transactions_response", 0,
      "00000062256702066772c3bc6e0301800000000000000008746f7069632d310004782e797fffffffffffffff056e6f64650000",
      "{throttle_time_ms=98, error_code=9575, unknown_state_filters=[\"grün\"], transaction_states=[{transactional_id=\"\", produce"
      "r_id=-9223372036854775808, transaction_state=\"topic-1\"}, {transactional_id=\"x.y\", producer_id=9223372036854775807, trans"
      "action_state=\"node\"}]}" },
    { "list_transactions_response", 1,
      "0000003a7fff0103066772c3bc6e80000000000000000672616e676500017fffffffffffffff076f72646572730000",
      "{throttle_time_ms=58, error_code=32767, unknown_state_filters=[], transaction_states=[{transactional_id=\"grün\", producer"
      "_id=-9223372036854775808, transaction_state=\"range\"}, {transactional_id=\"\", producer_id=9223372036854775807, transaction"
      "_state=\"orders\"}]}" },
    { "list_transactions_response", 2,
      "0000002e800002076f72646572730100",
      "{throttle_time_ms=46, error_code=-32768, unknown_state_filters=[\"orders\"], transaction_states=[]}" },
    { "transaction_log_key", 0,
      "0007746f7069632d31",
      "{transactional_id=\"topic-1\"}" },
    { "transaction_log_value", 0,
      "7fffffffffffffff00234d7039387fffffffff196f15591b9ea8f57fffffffffffffff",
      "{producer_id=9223372036854775807, producer_epoch=35, transaction_timeout_ms=1299200312, transaction_status=127, transact"
      "ion_partitions=null, transaction_last_update_timestamp_ms=1832707045822736629, transaction_start_timestamp_ms=9223372036"
      "854775807}" },
    { "transaction_log_value", 1,
      "7fffffffffffffffe014ed6f11807f030672616e6765029a1f892e00066772c3bc6e01007fffffffffffffff2fd429ef5790588d0301080000000000"
      "00002b02027fff03027fff",
      "{producer_id=9223372036854775807, next_producer_id=43, producer_epoch=-8172, next_producer_epoch=32767, transaction_time"
      "out_ms=-311488128, transaction_status=127, transaction_partitions=[{topic=\"range\", partition_ids=[-1709209298]}, {topic="
      "\"grün\", partition_ids=[]}], transaction_last_update_timestamp_ms=9223372036854775807, transaction_start_timestamp_ms=344"
      "6425722788272269, client_transaction_version=32767}" },
};
/* clang-format on */

#endif
