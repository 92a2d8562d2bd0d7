/*
 * Requests as objects, and their frames.
 *
 * The headers are written and read here by hand: there are two of each, and they are as irregular as they are short.
 *
 *     request, 1:   int16 key, int16 version, int32 correlation id, int16-length client id
 *     request, 2:   the same, then tagged fields (the client id keeps its int16 length)
 *     response, 0:  int32 correlation id
 *     response, 1:  the same, then tagged fields
 */
#include "wire/message.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"

enum { REQUEST_HEAD_BYTES = 8, RESPONSE_HEAD_BYTES = 4, PRINTED_ITEMS_MAX = 8 };

struct request_keep {
    struct request_keep *next;
    struct shared_buffer *buffer;
};

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static struct request *request_without_body(const struct api *api, int16_t api_version, size_t arena_bytes_max)
{
    struct request *request = (struct request *)mem_calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->api = api;
    request->api_version = api_version;
    list_init(&request->link);
    arena_init(&request->arena, REQUEST_ARENA_BLOCK_BYTES, arena_bytes_max);
    request->body = arena_alloc(&request->arena, api->request->layout->size);
    if (!request->body) {
        request_free(request);
        return NULL;
    }
    return request;
}

struct request *request_new(const struct api *api, int16_t api_version, size_t arena_bytes_max)
{
    struct request *request = request_without_body(api, api_version, arena_bytes_max);
    if (request)
        wire_init(api->request->layout, request->body);
    return request;
}

void request_free(struct request *request)
{
    if (!request)
        return;
    for (struct request_keep *kept = request->kept; kept; kept = kept->next)
        shared_buffer_drop(kept->buffer);
    shared_buffer_drop(request->frame);
    shared_buffer_drop(request->response.frame);
    arena_release(&request->arena);
    mem_free(request);
}

void *request_new_response(struct request *request)
{
    void *body = arena_alloc(&request->arena, request->api->response->layout->size);
    if (!body)
        return NULL;
    wire_init(request->api->response->layout, body);
    request->response.body = body;
    return body;
}

int request_own(struct request *request)
{
    return wire_own(request->api->request->layout, request->body, &request->arena);
}

int request_keep(struct request *request, struct shared_buffer *buffer)
{
    struct request_keep *kept = (struct request_keep *)arena_alloc(&request->arena, sizeof *kept);
    if (!kept)
        return MILL_ENOMEM;
    *kept = (struct request_keep){ request->kept, buffer };
    request->kept = kept;
    shared_buffer_hold(buffer);
    return 0;
}

/* ---- decoding -------------------------------------------------------------------------------------------------------------- */

int request_peek(mill_bytes frame, struct request_head *head)
{
    struct byte_reader reader = byte_reader_of(frame);
    head->api_key = (int16_t)byte_reader_u16(&reader);
    head->api_version = (int16_t)byte_reader_u16(&reader);
    head->correlation_id = (int32_t)byte_reader_u32(&reader);
    return reader.failed ? MILL_ETRUNCATED : 0;
}

int response_peek(mill_bytes frame, int32_t *correlation_id)
{
    struct byte_reader reader = byte_reader_of(frame);
    *correlation_id = (int32_t)byte_reader_u32(&reader);
    return reader.failed ? MILL_ETRUNCATED : 0;
}

static int fail(struct error_text *error, int code, const char *what, const char *name, int version)
{
    return error ? error_set(error, code, "%s %s version %d: %s", what, name, version, mill_error_text(code)) : code;
}

static int decode_client_id(struct byte_reader *reader, mill_bytes *client_id)
{
    int16_t len = (int16_t)byte_reader_u16(reader);
    if (reader->failed)
        return MILL_ETRUNCATED;
    if (len < -1)
        return MILL_ECORRUPT;
    *client_id = len < 0 ? mill_null() : mill_bytes_of(byte_reader_take(reader, (size_t)len), (size_t)len);
    return reader->failed ? MILL_ETRUNCATED : 0;
}

static int decode_request_header(struct request *request, struct byte_reader *reader)
{
    byte_reader_take(reader, REQUEST_HEAD_BYTES);
    int code = decode_client_id(reader, &request->client_id);
    if (!code && api_request_header_version(request->api, request->api_version) == 2)
        code = wire_skip_tags(reader);
    return code;
}

/* The request that an ApiVersions of a version unknown here stands for; of its bytes only the head means anything to us. */
static int decode_unknown_api_versions(struct request **request, const struct api *api, int32_t correlation_id,
                                       size_t arena_bytes_max)
{
    *request = request_new(api, 0, arena_bytes_max);
    if (!*request)
        return MILL_ENOMEM;
    (*request)->correlation_id = correlation_id;
    (*request)->version_unknown = true;
    return 0;
}

int request_decode(struct shared_buffer *frame, size_t arena_bytes_max, struct request **decoded, struct error_text *error)
{
    mill_bytes bytes = mill_bytes_of(frame->data, frame->len);
    struct request_head head;
    int code = request_peek(bytes, &head);
    if (code)
        return fail(error, code, "request header", "", 0);

    const struct api *api = api_find(head.api_key);
    if (!api)
        return error ? error_set(error, MILL_EUNSUPPORTED, "request with unknown API key %d", head.api_key) : MILL_EUNSUPPORTED;
    if (!api_has_version(api, head.api_version)) {
        if (api->key != API_API_VERSIONS)
            return fail(error, MILL_EUNSUPPORTED, "request", api->name, head.api_version);
        code = decode_unknown_api_versions(decoded, api, head.correlation_id, arena_bytes_max);
        if (!code)
            (*decoded)->frame = frame;
        return code;
    }

    struct request *request = request_without_body(api, head.api_version, arena_bytes_max);
    if (!request)
        return fail(error, MILL_ENOMEM, "request", api->name, head.api_version);
    request->correlation_id = head.correlation_id;
    struct byte_reader reader = byte_reader_of(bytes);
    code = decode_request_header(request, &reader);
    if (code)
        fail(error, code, "header of request", api->name, head.api_version);
    else
        code = wire_decode(api->request, head.api_version, &reader, frame, &request->arena, request->body, error);
    if (code) {
        request_free(request);
        return code;
    }
    request->frame = frame;
    *decoded = request;
    return 0;
}

int response_decode(struct request *request, struct shared_buffer *frame, struct error_text *error)
{
    const struct wire_message *message = request->api->response;
    struct byte_reader reader = byte_reader_of(mill_bytes_of(frame->data, frame->len));
    int code = byte_reader_take(&reader, RESPONSE_HEAD_BYTES) ? 0 : MILL_ETRUNCATED;
    if (!code && api_response_header_version(request->api, request->api_version) == 1)
        code = wire_skip_tags(&reader);
    if (code)
        return fail(error, code, "header of response", request->api->name, request->api_version);

    void *body = arena_alloc(&request->arena, message->layout->size);
    if (!body)
        return fail(error, MILL_ENOMEM, "response", request->api->name, request->api_version);
    code = wire_decode(message, request->api_version, &reader, frame, &request->arena, body, error);
    if (code)
        return code;
    request->response.body = body;
    request->response.frame = frame;
    return 0;
}

/* ---- encoding -------------------------------------------------------------------------------------------------------------- */

/* The place of the `head` bytes that wire_encode left free: the arena's memory, ours to write. */
static uint8_t *head_of(struct wire_frame *frame)
{
    return (uint8_t *)(uintptr_t)frame->slices[0].bytes.data;
}

int request_encode(struct request *request, struct wire_frame *frame, struct error_text *error)
{
    mill_bytes client_id = request->client_id;
    if (client_id.len > INT16_MAX)
        return fail(error, MILL_ETOOLARGE, "client id of request", request->api->name, request->api_version);
    bool has_tags = api_request_header_version(request->api, request->api_version) == 2;
    size_t head = FRAME_LENGTH_BYTES + REQUEST_HEAD_BYTES + 2 + client_id.len + (has_tags ? 1 : 0);
    int code = wire_encode(request->api->request, request->api_version, request->body, head, &request->arena, frame, error);
    if (code)
        return code;

    uint8_t *at = head_of(frame);
    write_u32_be(at, (uint32_t)(frame->len - FRAME_LENGTH_BYTES));
    write_u16_be(at + 4, (uint16_t)request->api->key);
    write_u16_be(at + 6, (uint16_t)request->api_version);
    write_u32_be(at + 8, (uint32_t)request->correlation_id);
    write_u16_be(at + 12, mill_is_null(client_id) ? UINT16_MAX : (uint16_t)client_id.len);
    if (client_id.len > 0)
        memcpy(at + 14, client_id.data, client_id.len);
    if (has_tags)
        at[14 + client_id.len] = 0;
    return 0;
}

int response_encode(struct request *request, struct wire_frame *frame, struct error_text *error)
{
    mill_assert(request->response.body);
    bool has_tags = api_response_header_version(request->api, request->api_version) == 1;
    size_t head = FRAME_LENGTH_BYTES + RESPONSE_HEAD_BYTES + (has_tags ? 1 : 0);
    int code =
        wire_encode(request->api->response, request->api_version, request->response.body, head, &request->arena, frame, error);
    if (code)
        return code;

    uint8_t *at = head_of(frame);
    write_u32_be(at, (uint32_t)(frame->len - FRAME_LENGTH_BYTES));
    write_u32_be(at + 4, (uint32_t)request->correlation_id);
    if (has_tags)
        at[8] = 0;
    return 0;
}

/* ---- text ------------------------------------------------------------------------------------------------------------------ */

static void print(const struct request *request, const struct wire_message *message, const void *body, struct buffer *out)
{
    char head[96];
    int len =
        snprintf(head, sizeof head, "%s v%d #%" PRId32 " ", request->api->name, request->api_version, request->correlation_id);
    buffer_append(out, head, (size_t)len);
    if (body)
        wire_print(message, request->api_version, body, PRINTED_ITEMS_MAX, out);
    else
        buffer_append(out, "nothing", 7);
}

void request_print(const struct request *request, struct buffer *out)
{
    print(request, request->api->request, request->body, out);
}

void response_print(const struct request *request, struct buffer *out)
{
    print(request, request->api->response, request->response.body, out);
}
