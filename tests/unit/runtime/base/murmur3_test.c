/* What Kafka Streams 4.3.1's Murmur3.hash128 made of the bytes 200, 237, 18, ... (each 37 more), of every kind of length. */
#include "support/cmocka_all.h"

#include <stdio.h>

#include "base/murmur3.h"

static const struct {
    size_t len;
    const char *hash;
} FACTS[] = {
    { 0, "9d2764a018e329428c3cf3b035938518" },  { 1, "bff2166f25d4e3caad76f90042c32eb7" },
    { 7, "e2c12aaa37615c8d78e8fff449acd2e3" },  { 8, "5376fe5d8752a4802bcfb922970c534c" },
    { 9, "b79cc91e67eb164f7285936d18b5c4c8" },  { 15, "8541440932df88a8133781906f758397" },
    { 16, "3b1ca826ba2a8ab100ff368af7e15570" }, { 17, "14606ec89b0c68c720e38f08a941bbdf" },
    { 31, "0fc8bff6b4d635a2db8b6c0ce90a3cd8" }, { 32, "271fc7adca25c66d69f499a2c53fd088" },
    { 40, "d4f6fce6a5fe8f2ffa444778553710c8" },
};

static void hashes_are_kafka_streams(void **state)
{
    uint8_t data[40];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 37 + 200);
    for (size_t i = 0; i < sizeof FACTS / sizeof FACTS[0]; i++) {
        uint8_t hash[MURMUR3_BYTES];
        char text[2 * MURMUR3_BYTES + 1];
        murmur3_128(mill_bytes_of(data, FACTS[i].len), hash);
        for (size_t j = 0; j < MURMUR3_BYTES; j++)
            snprintf(text + 2 * j, 3, "%02x", hash[j]);
        assert_string_equal(text, FACTS[i].hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(hashes_are_kafka_streams) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
