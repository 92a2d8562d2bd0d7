#include "state/digest.h"

struct sip {
    uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t load_little(const uint8_t *bytes, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static void store_little(uint8_t *bytes, uint64_t value)
{
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

static void round_twice(struct sip *s)
{
    for (int i = 0; i < 2; i++) {
        s->a += s->b;
        s->c += s->d;
        s->b = rotate(s->b, 13) ^ s->a;
        s->d = rotate(s->d, 16) ^ s->c;
        s->a = rotate(s->a, 32);
        s->c += s->b;
        s->a += s->d;
        s->b = rotate(s->b, 17) ^ s->c;
        s->d = rotate(s->d, 21) ^ s->a;
        s->c = rotate(s->c, 32);
    }
}

static void absorb(struct sip *s, uint64_t word)
{
    s->d ^= word;
    round_twice(s);
    s->a ^= word;
}

void digest(const uint8_t salt[16], mill_bytes bytes, uint8_t result[DIGEST_BYTES])
{
    uint64_t low = load_little(salt, 8);
    uint64_t high = load_little(salt + 8, 8);
    struct sip s = { 0x736f6d6570736575u ^ low, 0x646f72616e646f6du ^ high ^ 0xee, 0x6c7967656e657261u ^ low,
                     0x7465646279746573u ^ high };
    size_t at = 0;
    for (; bytes.len - at >= 8; at += 8)
        absorb(&s, load_little(bytes.data + at, 8));
    absorb(&s, load_little(bytes.data + at, bytes.len - at) | (uint64_t)bytes.len << 56);
    s.c ^= 0xee;
    round_twice(&s);
    round_twice(&s);
    store_little(result, s.a ^ s.b ^ s.c ^ s.d);
    s.b ^= 0xdd;
    round_twice(&s);
    round_twice(&s);
    store_little(result + 8, s.a ^ s.b ^ s.c ^ s.d);
}
