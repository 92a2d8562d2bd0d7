/* A map from directory name to offset, and its text. */
#include "log/offset_checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "log/log_files.h"
#include "log/text_reader.h"

void offset_checkpoint_init(struct offset_checkpoint *checkpoint)
{
    hash_map_init(&checkpoint->entries);
    checkpoint->changed = true;
}

void offset_checkpoint_release(struct offset_checkpoint *checkpoint)
{
    size_t at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&checkpoint->entries, &at)) != NULL;)
        mem_free(entry->value);
    hash_map_release(&checkpoint->entries);
}

int offset_checkpoint_put(struct offset_checkpoint *checkpoint, mill_bytes directory_name, int64_t offset)
{
    int64_t *there = hash_map_get(&checkpoint->entries, directory_name);
    if (there) {
        checkpoint->changed |= *there != offset;
        *there = offset;
        return 0;
    }
    int64_t *value = mem_alloc(sizeof *value);
    if (!value)
        return MILL_ENOMEM;
    *value = offset;
    int code = hash_map_put(&checkpoint->entries, directory_name, value, NULL);
    if (code < 0)
        mem_free(value);
    else
        checkpoint->changed = true;
    return code;
}

void offset_checkpoint_remove(struct offset_checkpoint *checkpoint, mill_bytes directory_name)
{
    int64_t *there = hash_map_remove(&checkpoint->entries, directory_name);
    checkpoint->changed |= there != NULL;
    mem_free(there);
}

int64_t offset_checkpoint_get(const struct offset_checkpoint *checkpoint, mill_bytes directory_name, int64_t otherwise)
{
    const int64_t *value = hash_map_get(&checkpoint->entries, directory_name);
    return value ? *value : otherwise;
}

void offset_checkpoint_encode(const struct offset_checkpoint *checkpoint, struct buffer *text)
{
    text_append(text, "0\n%zu\n", hash_map_count(&checkpoint->entries));
    size_t at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&checkpoint->entries, &at)) != NULL;) {
        const char *name = (const char *)entry->key.data;
        const char *dash = memrchr(name, '-', entry->key.len);
        mill_assert(dash);
        int topic_len = (int)(dash - name);
        int partition_len = (int)entry->key.len - topic_len - 1;
        text_append(text, "%.*s %.*s %lld\n", topic_len, name, partition_len, dash + 1,
                    (long long)*(const int64_t *)entry->value);
    }
}

static int decode_entry(struct offset_checkpoint *checkpoint, mill_bytes line)
{
    struct text_reader words = text_reader_of(line);
    mill_bytes topic = text_reader_word(&words);
    int partition = (int)text_reader_number(&words, 0, INT32_MAX);
    int64_t offset = text_reader_number(&words, 0, INT64_MAX);
    char name[LOG_NAME_BYTES];
    if (words.failed || !text_reader_at_end(&words) || topic.len + 16 > sizeof name)
        return MILL_ECORRUPT;
    int len = snprintf(name, sizeof name, "%.*s-%d", (int)topic.len, (const char *)topic.data, partition);
    return offset_checkpoint_put(checkpoint, mill_bytes_of(name, (size_t)len), offset);
}

int offset_checkpoint_decode(struct offset_checkpoint *checkpoint, mill_bytes text)
{
    struct text_reader lines = text_reader_of(text);
    text_reader_number_line(&lines, 0, 0);
    int64_t count = text_reader_number_line(&lines, 0, OFFSET_CHECKPOINT_ENTRIES_MAX);
    int code = lines.failed ? MILL_ECORRUPT : 0;
    mill_bytes line;
    while (code == 0 && count > 0 && text_reader_line(&lines, &line)) {
        code = decode_entry(checkpoint, line);
        count--;
    }
    if (code == 0 && (count > 0 || !text_reader_at_end(&lines)))
        code = MILL_ECORRUPT;
    if (code < 0) {
        offset_checkpoint_release(checkpoint);
        offset_checkpoint_init(checkpoint);
    }
    return code;
}
