/* Six bits a character, most significant first; the last character carries two. */
#include "log/uuid_text.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void uuid_text_write(const uint8_t uuid[UUID_BYTES], char text[UUID_TEXT_CHARS + 1])
{
    for (int i = 0; i < UUID_TEXT_CHARS; i++) {
        int bit = i * 6;
        unsigned pair = (unsigned)uuid[bit / 8] << 8 | (bit / 8 + 1 < UUID_BYTES ? uuid[bit / 8 + 1] : 0);
        text[i] = alphabet[pair >> (10 - bit % 8) & 63];
    }
    text[UUID_TEXT_CHARS] = '\0';
}

static int value_of(uint8_t character)
{
    const char *found = character ? strchr(alphabet, character) : NULL;
    return found ? (int)(found - alphabet) : -1;
}

bool uuid_text_parse(mill_bytes text, uint8_t uuid[UUID_BYTES])
{
    if (text.len != UUID_TEXT_CHARS)
        return false;
    uint32_t bits = 0;
    int bit_count = 0;
    int at = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.data[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            uuid[at++] = (uint8_t)(bits >> bit_count);
        }
    }
    return (bits & ((1u << bit_count) - 1)) == 0;
}
