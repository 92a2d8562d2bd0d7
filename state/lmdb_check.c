/*
 * The file format of LMDB 0.9 (64 bit), in the machine's byte order:
 *
 *      page header   number 8 | pad 2 | flags 2 | lower 2, upper 2 (or, of an overflow run, pages 4)
 *      meta page     header | magic 4 | version 4 | address 8 | map size 8 | two databases 48 each | last page 8 | transaction 8
 *      database      pad 4 (page size, in the first) | flags 2 | depth 2 | branch, leaf, overflow pages, entries, root: 8 each
 *      node          lo 2 | hi 2 | flags 2 | key size 2 | key | data; of a branch lo, hi, flags are the child's page number
 *
 * Pages 0 and 1 are metas, the newer transaction counts. Its first database lists free pages: by transaction, the count and the
 * page numbers, descending. Its second names the databases. Overflow runs are read whole, everything else page by page.
 */
#include "state/lmdb_check.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "state/lmdb_env.h"

enum {
    PAGE_HEADER_BYTES = 16,
    NODE_HEADER_BYTES = 8,
    DATABASE_BYTES = 48,
    META_BYTES = PAGE_HEADER_BYTES + 24 + 2 * DATABASE_BYTES + 16,
    PAGE_BYTES_MIN = 512,
    PAGE_BYTES_MAX = 32768,
    DEPTH_MAX = 32,
    P_BRANCH = 0x01,
    P_LEAF = 0x02,
    P_OVERFLOW = 0x04,
    P_META = 0x08,
    N_BIGDATA = 0x01,
    N_SUBDATA = 0x02,
    D_INTEGERKEY = 0x08, /* of the free list; every other database has no flags */
};

static const uint32_t MAGIC = 0xBEEFC0DE;
static const uint64_t NO_PAGE = UINT64_MAX;

struct database {
    uint32_t pad;
    uint16_t flags;
    uint16_t depth;
    uint64_t branch_pages;
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    uint64_t entries;
    uint64_t root;
};

struct meta {
    uint32_t magic;
    uint32_t version;
    uint64_t address;
    uint64_t map_bytes;
    struct database free_list;
    struct database names;
    uint64_t last_page;
    uint64_t transaction;
};

_Static_assert(sizeof(struct database) == DATABASE_BYTES, "as LMDB lays it out");
_Static_assert(PAGE_HEADER_BYTES + sizeof(struct meta) == META_BYTES, "as LMDB lays it out");

enum tree_kind { TREE_FREE_LIST, TREE_NAMES, TREE_ENTRIES };

struct check {
    struct disk_file *file;
    struct error_text *error;
    int64_t file_bytes;
    size_t page_bytes;
    struct meta meta;
    uint8_t *seen; /* a bit per page */
};

/* One tree on the way down. */
struct walk {
    struct check *check;
    enum tree_kind kind;
    struct database counted;
    uint64_t last_transaction;
};

static int corrupt(struct check *check, const char *what, uint64_t page)
{
    return error_set(check->error, MILL_ECORRUPT, "page %llu: %s", (unsigned long long)page, what);
}

static int read_at(struct check *check, void *into, size_t len, uint64_t offset)
{
    ssize_t got = disk_read(check->file, into, len, (int64_t)offset);
    if (got < 0)
        return error_set(check->error, (int)got, "it cannot be read");
    return (size_t)got == len ? 0 : error_set(check->error, MILL_ECORRUPT, "it ends too early");
}

static uint16_t u16_at(const uint8_t *bytes)
{
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static uint64_t u64_at(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/* ---- meta pages ------------------------------------------------------------------------------------------------------------ */

static int read_meta(struct check *check, uint64_t offset, uint64_t number, struct meta *meta)
{
    uint8_t bytes[META_BYTES];
    int code = read_at(check, bytes, sizeof bytes, offset);
    if (code < 0)
        return code;
    memcpy(meta, bytes + PAGE_HEADER_BYTES, sizeof *meta);
    if (u64_at(bytes) != number || u16_at(bytes + 10) != P_META)
        return corrupt(check, "not a meta page", number);
    if (meta->magic != MAGIC || meta->version != 1)
        return corrupt(check, "not of this format", number);
    return 0;
}

static int check_metas(struct check *check)
{
    struct meta first;
    struct meta second;
    int code = read_meta(check, 0, 0, &first);
    if (code < 0)
        return code;
    check->page_bytes = first.free_list.pad;
    if (check->page_bytes < PAGE_BYTES_MIN || check->page_bytes > PAGE_BYTES_MAX ||
        (check->page_bytes & (check->page_bytes - 1)) != 0)
        return corrupt(check, "a page size that cannot be", 0);
    code = read_meta(check, check->page_bytes, 1, &second);
    if (code < 0)
        return code;
    check->meta = second.transaction > first.transaction ? second : first;
    if (second.free_list.pad != first.free_list.pad || check->meta.map_bytes % check->page_bytes != 0)
        return corrupt(check, "the meta pages do not agree", 1);
    if (check->meta.last_page < 1 || check->meta.last_page >= (uint64_t)check->file_bytes / check->page_bytes)
        return error_set(check->error, MILL_ECORRUPT, "it has %lld bytes, fewer than the %llu pages in use need",
                         (long long)check->file_bytes, (unsigned long long)check->meta.last_page + 1);
    return 0;
}

/* ---- pages ----------------------------------------------------------------------------------------------------------------- */

/* Takes `count` pages from `page` on as reached. */
static int reach(struct check *check, uint64_t page, uint64_t count)
{
    if (page < 2 || count == 0 || page > check->meta.last_page || count > check->meta.last_page - page + 1)
        return corrupt(check, "a reference to a page that is not in use", page);
    for (uint64_t i = page; i < page + count; i++) {
        if (check->seen[i / 8] & (1u << (i % 8)))
            return corrupt(check, "is reached twice", i);
        check->seen[i / 8] |= (uint8_t)(1u << (i % 8));
    }
    return 0;
}

/* A large value: its run of pages, read into `*block` (the caller frees); `*value` views it. */
static int read_overflow(struct walk *walk, uint64_t page, size_t len, uint8_t **block, mill_bytes *value)
{
    struct check *check = walk->check;
    uint64_t pages = (len + PAGE_HEADER_BYTES - 1) / check->page_bytes + 1;
    int code = reach(check, page, pages);
    if (code < 0)
        return code;
    *block = mem_alloc((size_t)pages * check->page_bytes);
    if (*block == NULL)
        return error_set(check->error, MILL_ENOMEM, "no memory for a value of %zu bytes", len);
    code = read_at(check, *block, (size_t)pages * check->page_bytes, page * check->page_bytes);
    if (code < 0)
        return code;
    uint32_t run;
    memcpy(&run, *block + 12, sizeof run);
    if (u64_at(*block) != page || u16_at(*block + 10) != P_OVERFLOW || run != pages)
        return corrupt(check, "not the overflow run that it should be", page);
    walk->counted.overflow_pages += pages;
    *value = mill_bytes_of(*block + PAGE_HEADER_BYTES, len);
    return 0;
}

static int check_free_pages(struct walk *walk, mill_bytes key, mill_bytes value, uint64_t page)
{
    struct check *check = walk->check;
    uint64_t transaction = key.len == 8 ? u64_at(key.data) : NO_PAGE;
    uint64_t count = value.len >= 8 ? u64_at(value.data) : NO_PAGE;
    if (transaction > check->meta.transaction || count > value.len / 8 - 1)
        return corrupt(check, "an entry of the free list that cannot be", page);
    for (uint64_t i = 0; i < count; i++) {
        int code = reach(check, u64_at(value.data + 8 + 8 * i), 1);
        if (code < 0)
            return code;
    }
    return 0;
}

static int walk_tree(struct check *check, enum tree_kind kind, const struct database *database);

static int check_value(struct walk *walk, mill_bytes key, mill_bytes value, bool is_database, uint64_t page)
{
    if (walk->kind == TREE_FREE_LIST)
        return is_database ? corrupt(walk->check, "a database in the free list", page) : check_free_pages(walk, key, value, page);
    if (is_database != (walk->kind == TREE_NAMES) || (is_database && value.len != DATABASE_BYTES))
        return corrupt(walk->check, "a database where an entry belongs, or the reverse", page);
    if (is_database) {
        struct database database;
        memcpy(&database, value.data, sizeof database);
        return walk_tree(walk->check, TREE_ENTRIES, &database);
    }
    mill_bytes payload;
    return lmdb_unwrap(key, value, &payload) < 0 ? corrupt(walk->check, "an entry fails its checksum", page) : 0;
}

/* Node `index` of a page: null when it does not lie within it. */
static const uint8_t *node_at(const struct check *check, const uint8_t *bytes, size_t index, size_t *room)
{
    size_t at = u16_at(bytes + PAGE_HEADER_BYTES + 2 * index);
    size_t upper = u16_at(bytes + 14);
    if (at < upper || at + NODE_HEADER_BYTES > check->page_bytes || at % 2 != 0)
        return NULL;
    size_t key_len = u16_at(bytes + at + 6);
    *room = check->page_bytes - at - NODE_HEADER_BYTES;
    return key_len <= *room ? bytes + at : NULL;
}

static mill_bytes key_of(const uint8_t *node)
{
    return mill_bytes_of(node + NODE_HEADER_BYTES, u16_at(node + 6));
}

/* Transaction numbers are compared as numbers, all other keys as bytes. */
static int compare_keys(const struct walk *walk, mill_bytes a, mill_bytes b)
{
    if (walk->kind != TREE_FREE_LIST || a.len != 8 || b.len != 8)
        return mill_bytes_compare(a, b);
    uint64_t left = u64_at(a.data);
    uint64_t right = u64_at(b.data);
    return left < right ? -1 : left > right;
}

/* Keys lie in [low, high); null is open. */
static bool in_bounds(const struct walk *walk, mill_bytes key, mill_bytes low, mill_bytes high)
{
    return (mill_is_null(low) || compare_keys(walk, low, key) <= 0) && (mill_is_null(high) || compare_keys(walk, key, high) < 0);
}

static int check_leaf_node(struct walk *walk, const uint8_t *node, size_t room, uint64_t page)
{
    mill_bytes key = key_of(node);
    uint16_t flags = u16_at(node + 4);
    size_t len = u16_at(node) | (size_t)u16_at(node + 2) << 16;
    size_t held = flags & N_BIGDATA ? 8 : len;
    if ((flags & ~(N_BIGDATA | N_SUBDATA)) != 0 || held > room - key.len)
        return corrupt(walk->check, "a value reaches beyond its page", page);
    mill_bytes value = mill_bytes_of(key.data + key.len, len);
    uint8_t *block = NULL;
    int code = flags & N_BIGDATA ? read_overflow(walk, u64_at(value.data), len, &block, &value) : 0;
    if (code == 0)
        code = check_value(walk, key, value, (flags & N_SUBDATA) != 0, page);
    mem_free(block);
    walk->counted.entries++;
    return code;
}

static int check_page(struct walk *walk, uint64_t page, unsigned levels, mill_bytes low, mill_bytes high);

static int check_nodes(struct walk *walk, const uint8_t *bytes, uint64_t page, unsigned levels, mill_bytes low, mill_bytes high)
{
    bool leaf = levels == 1;
    size_t count = (u16_at(bytes + 12) - (size_t)PAGE_HEADER_BYTES) / 2;
    mill_bytes previous = mill_null();
    for (size_t i = 0; i < count; i++) {
        size_t room;
        const uint8_t *node = node_at(walk->check, bytes, i, &room);
        if (node == NULL)
            return corrupt(walk->check, "a node reaches beyond its page", page);
        bool keyless = !leaf && i == 0; /* a branch's first child has everything below the second */
        mill_bytes key = key_of(node);
        if (!keyless && (!in_bounds(walk, key, low, high) || (!mill_is_null(previous) && compare_keys(walk, previous, key) >= 0)))
            return corrupt(walk->check, "keys do not ascend within their bounds", page);
        previous = keyless ? mill_null() : key;
        int code;
        if (leaf) {
            code = check_leaf_node(walk, node, room, page);
        } else {
            size_t next_room;
            const uint8_t *next = i + 1 < count ? node_at(walk->check, bytes, i + 1, &next_room) : NULL;
            uint64_t child = u16_at(node) | (uint64_t)u16_at(node + 2) << 16 | (uint64_t)u16_at(node + 4) << 32;
            code = check_page(walk, child, levels - 1, keyless ? low : key, next ? key_of(next) : high);
        }
        if (code < 0)
            return code;
    }
    return 0;
}

static int check_page(struct walk *walk, uint64_t page, unsigned levels, mill_bytes low, mill_bytes high)
{
    struct check *check = walk->check;
    int code = reach(check, page, 1);
    if (code < 0)
        return code;
    uint8_t *bytes = mem_alloc(check->page_bytes);
    if (bytes == NULL)
        return error_set(check->error, MILL_ENOMEM, "no memory for a page");
    code = read_at(check, bytes, check->page_bytes, page * check->page_bytes);
    if (code == 0) {
        size_t lower = u16_at(bytes + 12);
        size_t upper = u16_at(bytes + 14);
        bool leaf = levels == 1;
        bool sound = u64_at(bytes) == page && u16_at(bytes + 10) == (leaf ? P_LEAF : P_BRANCH) && lower >= PAGE_HEADER_BYTES &&
                     lower % 2 == 0 && lower <= upper && upper <= check->page_bytes &&
                     lower - PAGE_HEADER_BYTES >= (leaf ? 2u : 4u);
        *(leaf ? &walk->counted.leaf_pages : &walk->counted.branch_pages) += 1;
        code = sound ? check_nodes(walk, bytes, page, levels, low, high) : corrupt(check, "not the page that it should be", page);
    }
    mem_free(bytes);
    return code;
}

static int walk_tree(struct check *check, enum tree_kind kind, const struct database *database)
{
    struct walk walk = { .check = check, .kind = kind };
    if (database->flags != (kind == TREE_FREE_LIST ? D_INTEGERKEY : 0) || (kind == TREE_ENTRIES && database->pad != 0))
        return corrupt(check, "a database of a kind that we do not make", database->root);
    if ((database->root == NO_PAGE) != (database->depth == 0) || database->depth > DEPTH_MAX)
        return corrupt(check, "the root of a database that cannot be", database->root);
    int code = database->root == NO_PAGE ? 0 : check_page(&walk, database->root, database->depth, mill_null(), mill_null());
    if (code < 0)
        return code;
    if (walk.counted.entries != database->entries || walk.counted.leaf_pages != database->leaf_pages ||
        walk.counted.branch_pages != database->branch_pages || walk.counted.overflow_pages != database->overflow_pages)
        return corrupt(check, "a database has not what its counts say", database->root);
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------- */

static int open_file(struct check *check, struct disk *disk, const char *path, struct error_text *error)
{
    *check = (struct check){ .error = error };
    int code = disk_open(disk, path, DISK_READ, &check->file);
    if (code < 0)
        return error_set(error, code, "it cannot be opened");
    code = disk_size(check->file, &check->file_bytes);
    if (code < 0)
        return error_set(error, code, "its size cannot be read");
    return check_metas(check);
}

static int check_trees(struct check *check)
{
    check->seen = mem_calloc(1, (size_t)check->meta.last_page / 8 + 1);
    if (check->seen == NULL)
        return error_set(check->error, MILL_ENOMEM, "no memory for its pages");
    int code = walk_tree(check, TREE_FREE_LIST, &check->meta.free_list);
    return code < 0 ? code : walk_tree(check, TREE_NAMES, &check->meta.names);
}

static int check_file(struct disk *disk, const char *path, bool all, struct error_text *error)
{
    struct check check;
    int code = open_file(&check, disk, path, error);
    if (code == 0 && all)
        code = check_trees(&check);
    mem_free(check.seen);
    disk_close(check.file);
    return code < 0 ? error_prefix(error, code, "%s", path) : 0;
}

int lmdb_check_quick(struct disk *disk, const char *path, struct error_text *error)
{
    return check_file(disk, path, false, error);
}

int lmdb_check_all(struct disk *disk, const char *path, struct error_text *error)
{
    return check_file(disk, path, true, error);
}
