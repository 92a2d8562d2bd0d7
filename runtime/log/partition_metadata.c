/* Two lines of text. */
#include "log/partition_metadata.h"

#include <stdio.h>

#include "base/alloc.h"
#include "log/log_files.h"
#include "log/text_reader.h"

enum { FILE_BYTES_MAX = 4096 };

/* A newer version is a number; anything else is a file that a power cut left half written. */
static bool is_number(mill_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.len > 0;
}

static int parse(mill_bytes text, uint8_t topic_id[UUID_BYTES])
{
    struct text_reader lines = text_reader_of(text);
    mill_bytes version;
    mill_bytes id;
    if (!text_reader_line(&lines, &version))
        return MILL_ENOTFOUND;
    mill_bytes version_key = mill_string("version: ");
    if (version.len <= version_key.len || memcmp(version.data, version_key.data, version_key.len) != 0)
        return MILL_ECORRUPT;
    version = mill_bytes_of(version.data + version_key.len, version.len - version_key.len);
    if (!mill_bytes_equal(version, mill_string("0")))
        return is_number(version) ? MILL_EUNSUPPORTED : MILL_ECORRUPT;
    mill_bytes key = mill_string("topic_id: ");
    if (!text_reader_line(&lines, &id) || id.len < key.len || memcmp(id.data, key.data, key.len) != 0)
        return MILL_ECORRUPT;
    return uuid_text_parse(mill_bytes_of(id.data + key.len, id.len - key.len), topic_id) ? 0 : MILL_ECORRUPT;
}

int partition_metadata_read(struct disk *disk, const char *directory, uint8_t topic_id[UUID_BYTES])
{
    char path[LOG_PATH_BYTES];
    log_path(path, directory, "partition.metadata");
    char *text;
    size_t len;
    int code = disk_read_file(disk, path, FILE_BYTES_MAX, &text, &len);
    if (code < 0)
        return code;
    code = parse(mill_bytes_of(text, len), topic_id);
    mem_free(text);
    return code;
}

int partition_metadata_write(struct disk *disk, const char *directory, const uint8_t topic_id[UUID_BYTES])
{
    char path[LOG_PATH_BYTES];
    log_path(path, directory, "partition.metadata");
    char id[UUID_TEXT_CHARS + 1];
    uuid_text_write(topic_id, id);
    char text[64];
    int len = snprintf(text, sizeof text, "version: 0\ntopic_id: %s\n", id);
    return log_write_file(disk, path, text, (size_t)len);
}
