/* A few lines of name=value, checked one by one. */
#include "log/meta_properties.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "log/log_files.h"
#include "log/text_reader.h"
#include "log/uuid_text.h"

enum { FILE_BYTES_MAX = 64 << 10 };

enum seen { SEEN_VERSION = 1, SEEN_CLUSTER = 2, SEEN_NODE = 4, SEEN_ALL = 7 };

static bool value_of(mill_bytes line, const char *name, mill_bytes *value)
{
    size_t len = strlen(name);
    if (line.len <= len || memcmp(line.data, name, len) != 0 || line.data[len] != '=')
        return false;
    *value = mill_bytes_of(line.data + len + 1, line.len - len - 1);
    return true;
}

/* One line into `properties`. Returns which was seen, 0 for one that says nothing to us, or an error. */
static int parse_line(mill_bytes line, struct meta_properties *properties)
{
    mill_bytes value;
    if (value_of(line, "version", &value))
        return mill_bytes_equal(value, mill_string("1")) ? SEEN_VERSION : MILL_EUNSUPPORTED;
    if (value_of(line, "cluster.id", &value)) {
        if (value.len == 0 || value.len >= META_CLUSTER_ID_BYTES)
            return MILL_ECORRUPT;
        memcpy(properties->cluster_id, value.data, value.len);
        properties->cluster_id[value.len] = '\0';
        return SEEN_CLUSTER;
    }
    if (value_of(line, "node.id", &value)) {
        struct text_reader words = text_reader_of(value);
        properties->node_id = (int32_t)text_reader_number(&words, 0, INT32_MAX);
        return words.failed || !text_reader_at_end(&words) ? MILL_ECORRUPT : SEEN_NODE;
    }
    if (value_of(line, "directory.id", &value))
        return uuid_text_parse(value, properties->directory_id) ? 0 : MILL_ECORRUPT;
    return 0;
}

static int parse(mill_bytes text, struct meta_properties *properties)
{
    *properties = (struct meta_properties){ 0 };
    struct text_reader lines = text_reader_of(text);
    mill_bytes line;
    int seen = 0;
    while (text_reader_line(&lines, &line)) {
        int one = parse_line(line, properties);
        if (one < 0)
            return one;
        seen |= one;
    }
    return seen == SEEN_ALL ? 0 : MILL_ECORRUPT;
}

int meta_properties_read(struct disk *disk, const char *directory, struct meta_properties *properties, struct error_text *error)
{
    char path[LOG_PATH_BYTES];
    log_path(path, directory, "meta.properties");
    char *text;
    size_t len;
    int code = disk_read_file(disk, path, FILE_BYTES_MAX, &text, &len);
    if (code < 0)
        return error_set(error, code, "%s: %s", path, mill_error_text(code));
    code = parse(mill_bytes_of(text, len), properties);
    mem_free(text);
    if (code == MILL_EUNSUPPORTED)
        return error_set(error, code, "%s: not version 1; use the version of the broker that wrote it", path);
    if (code < 0)
        return error_set(error, code, "%s: version, cluster.id, node.id or directory.id is missing or wrong; restore the file",
                         path);
    return 0;
}

int meta_properties_write(struct disk *disk, const char *directory, const struct meta_properties *properties)
{
    char path[LOG_PATH_BYTES];
    log_path(path, directory, "meta.properties");
    char id[UUID_TEXT_CHARS + 1];
    uuid_text_write(properties->directory_id, id);
    char text[256];
    int len = snprintf(text, sizeof text, "version=1\ncluster.id=%s\nnode.id=%d\ndirectory.id=%s\n", properties->cluster_id,
                       (int)properties->node_id, id);
    return disk_replace_file(disk, path, text, (size_t)len);
}
