/*
 * `meta.properties`: which cluster, broker and directory the files around it belong to (KIP-866, version 1).
 *
 *      version=1
 *      cluster.id=<text>
 *      node.id=<number>
 *      directory.id=<22 characters of URL-safe base64>
 *
 * As Java writes properties: '#' lines and blank ones are comments, other keys are kept out of the way.
 */
#ifndef LOG_META_PROPERTIES_H
#define LOG_META_PROPERTIES_H

#include <stdint.h>

#include "base/error.h"
#include "io/io.h"

enum { META_CLUSTER_ID_BYTES = 64, META_DIRECTORY_ID_BYTES = 16 };

struct meta_properties {
    char cluster_id[META_CLUSTER_ID_BYTES]; /* NUL-terminated */
    int32_t node_id;
    uint8_t directory_id[META_DIRECTORY_ID_BYTES];
};

/* Reads `<directory>/meta.properties`. MILL_ENOTFOUND; MILL_ECORRUPT; MILL_EUNSUPPORTED for another version; an I/O error. */
MILL_MUST_USE int meta_properties_read(struct disk *disk, const char *directory, struct meta_properties *properties,
                                       struct error_text *error);

/* Replaces it, durably. */
MILL_MUST_USE int meta_properties_write(struct disk *disk, const char *directory, const struct meta_properties *properties);

#endif
