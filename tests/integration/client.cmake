# The client's own part: a program with a command line, and scripts that run it against our broker and, when one is named, Kafka.
add_executable(client_program client_program.c)
target_link_libraries(client_program PRIVATE mill_client)

add_test(NAME integration.client_broker
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/client_broker.sh $<TARGET_FILE:broker_program> $<TARGET_FILE:client_program>
                 ${CMAKE_CURRENT_BINARY_DIR}/client_broker)
add_test(NAME integration.client_kafka
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/client_kafka.sh $<TARGET_FILE:client_program> ${CMAKE_CURRENT_BINARY_DIR}/client_kafka)
set_tests_properties(integration.client_broker integration.client_kafka PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
