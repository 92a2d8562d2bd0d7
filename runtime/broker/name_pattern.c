#include "broker/name_pattern.h"

#include "base/assert.h"

/* ---- characters ------------------------------------------------------------------------------------------------------------ */

/* The character of UTF-8 at `at`: the byte there and what continues it. Their order as bytes is that of the code points. */
static mill_bytes character_at(const uint8_t *text, size_t len, size_t at)
{
    size_t end = at + 1;
    while (end < len && end < at + 4 && (text[end] & 0xc0) == 0x80)
        end++;
    return mill_bytes_of(text + at, end - at);
}

static bool is_class(uint8_t letter)
{
    return letter != '\0' && strchr("dDwWsS", letter) != NULL;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alphanumeric(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(uint8_t c)
{
    return memchr(" \t\n\f\r", c, 5) != NULL;
}

/* The classes are of ASCII. */
static bool class_has(uint8_t letter, mill_bytes character)
{
    uint8_t c = character.data[0];
    switch (letter) {
    case 'd':
        return is_digit(c);
    case 'D':
        return !is_digit(c);
    case 'w':
        return is_alphanumeric(c) || c == '_';
    case 'W':
        return !is_alphanumeric(c) && c != '_';
    case 's':
        return is_space(c);
    default:
        return !is_space(c);
    }
}

/* ---- sets ------------------------------------------------------------------------------------------------------------------ */

struct member {
    mill_bytes low;
    mill_bytes high;
    uint8_t class; /* 0: it is a range */
};

static bool read_end_of_range(const struct name_pattern *pattern, size_t *at, mill_bytes *character)
{
    bool is_escaped = *at < pattern->len && pattern->text[*at] == '\\';
    *at += is_escaped;
    if (*at >= pattern->len)
        return false;
    *character = character_at(pattern->text, pattern->len, *at);
    *at += character->len;
    return !is_escaped || !is_alphanumeric(character->data[0]);
}

/* The member of a set at `*at`, and goes behind it: 1; 0: the set ends; -1: it is none that is understood. */
static int next_member(const struct name_pattern *pattern, size_t *at, bool is_first, struct member *member)
{
    const uint8_t *text = pattern->text;
    size_t left = pattern->len - *at;
    if (left > 0 && text[*at] == ']' && !is_first)
        return 0;
    if (left > 1 && text[*at] == '[' && text[*at + 1] == ':')
        return -1;
    member->class = left > 1 && text[*at] == '\\' && is_class(text[*at + 1]) ? text[*at + 1] : 0;
    if (member->class) {
        *at += 2;
        return 1;
    }
    if (!read_end_of_range(pattern, at, &member->low))
        return -1;
    member->high = member->low;
    if (*at + 1 >= pattern->len || text[*at] != '-' || text[*at + 1] == ']')
        return 1;
    ++*at;
    bool is_range = read_end_of_range(pattern, at, &member->high) && mill_bytes_compare(member->low, member->high) <= 0;
    return is_range ? 1 : -1;
}

static bool set_has(const struct name_pattern *pattern, size_t at, mill_bytes character)
{
    bool negated = pattern->text[at] == '^';
    at += negated;
    struct member member;
    for (bool is_first = true; next_member(pattern, &at, is_first, &member) == 1; is_first = false) {
        bool has =
            member.class ? class_has(member.class, character)
                         : mill_bytes_compare(member.low, character) <= 0 && mill_bytes_compare(character, member.high) <= 0;
        if (has)
            return !negated;
    }
    return negated;
}

/* ---- compiling ------------------------------------------------------------------------------------------------------------- */

struct parser {
    struct name_pattern *pattern;
    size_t at;
};

/* A step in front of those from `first` on, which move as they are: what they jump to they count from themselves. */
static struct name_step *insert(struct parser *parser, size_t first, enum name_step_kind kind)
{
    struct name_pattern *pattern = parser->pattern;
    mill_assert(pattern->step_count < NAME_PATTERN_STEPS_MAX);
    memmove(pattern->steps + first + 1, pattern->steps + first, (pattern->step_count++ - first) * sizeof *pattern->steps);
    pattern->steps[first] = (struct name_step){ .kind = kind };
    return &pattern->steps[first];
}

static struct name_step *add(struct parser *parser, enum name_step_kind kind)
{
    return insert(parser, parser->pattern->step_count, kind);
}

/* Takes `c` if it is what comes next. */
static bool take(struct parser *parser, uint8_t c)
{
    bool is_next = parser->at < parser->pattern->len && parser->pattern->text[parser->at] == c;
    parser->at += is_next;
    return is_next;
}

static bool parse_alternatives(struct parser *parser);

static bool parse_set(struct parser *parser)
{
    add(parser, NAME_STEP_SET)->at = (int16_t)parser->at;
    (void)take(parser, '^');
    struct member member;
    int code = 1;
    for (bool is_first = true; code == 1; is_first = false)
        code = next_member(parser->pattern, &parser->at, is_first, &member);
    return code == 0 && take(parser, ']');
}

static bool parse_escape(struct parser *parser)
{
    if (parser->at == parser->pattern->len)
        return false;
    uint8_t c = parser->pattern->text[parser->at];
    add(parser, is_class(c) ? NAME_STEP_CLASS : NAME_STEP_CHARACTER)->at = (int16_t)parser->at;
    parser->at++;
    return is_class(c) || (c < 0x80 && !is_alphanumeric(c));
}

static bool parse_group(struct parser *parser)
{
    if (take(parser, '?') && !take(parser, ':'))
        return false;
    return parse_alternatives(parser) && take(parser, ')');
}

static bool parse_atom(struct parser *parser)
{
    if (take(parser, '('))
        return parse_group(parser);
    if (take(parser, '['))
        return parse_set(parser);
    if (take(parser, '\\'))
        return parse_escape(parser);
    if (take(parser, '.')) {
        add(parser, NAME_STEP_ANY);
        return true;
    }
    if (memchr("*+?{^", parser->pattern->text[parser->at], 5))
        return false;
    add(parser, NAME_STEP_CHARACTER)->at = (int16_t)parser->at;
    parser->at += character_at(parser->pattern->text, parser->pattern->len, parser->at).len;
    return true;
}

/* What stands from `first` on, repeated. */
static void parse_repetition(struct parser *parser, size_t first)
{
    int16_t count = (int16_t)(parser->pattern->step_count - first);
    if (take(parser, '*')) {
        *insert(parser, first, NAME_STEP_SPLIT) =
            (struct name_step){ .kind = NAME_STEP_SPLIT, .to = { 1, (int16_t)(count + 2) } };
        add(parser, NAME_STEP_JUMP)->to[0] = (int16_t)(-count - 1);
    } else if (take(parser, '+')) {
        *add(parser, NAME_STEP_SPLIT) = (struct name_step){ .kind = NAME_STEP_SPLIT, .to = { (int16_t)-count, 1 } };
    } else if (take(parser, '?')) {
        *insert(parser, first, NAME_STEP_SPLIT) =
            (struct name_step){ .kind = NAME_STEP_SPLIT, .to = { 1, (int16_t)(count + 1) } };
    } else {
        return;
    }
    (void)take(parser, '?'); /* as few as possible: of no meaning where only whether it matches counts */
}

static bool parse_sequence(struct parser *parser)
{
    while (parser->at < parser->pattern->len && !memchr("|)$", parser->pattern->text[parser->at], 3)) {
        size_t first = parser->pattern->step_count;
        if (!parse_atom(parser))
            return false;
        parse_repetition(parser, first);
    }
    return true;
}

static bool parse_alternatives(struct parser *parser)
{
    struct name_pattern *pattern = parser->pattern;
    size_t first = pattern->step_count;
    if (!parse_sequence(parser))
        return false;
    if (!take(parser, '|'))
        return true;
    insert(parser, first, NAME_STEP_SPLIT);
    size_t jump = pattern->step_count;
    add(parser, NAME_STEP_JUMP);
    pattern->steps[first].to[0] = 1;
    pattern->steps[first].to[1] = (int16_t)(pattern->step_count - first);
    bool is_right = parse_alternatives(parser);
    pattern->steps[jump].to[0] = (int16_t)(pattern->step_count - jump);
    return is_right;
}

bool name_pattern_compile(struct name_pattern *pattern, mill_bytes text)
{
    *pattern = (struct name_pattern){ 0 };
    if (text.len > NAME_PATTERN_BYTES_MAX)
        return false;
    if (text.len > 0)
        memcpy(pattern->text, text.data, text.len);
    pattern->len = text.len;
    struct parser parser = { .pattern = pattern };
    (void)take(&parser, '^');
    bool is_right = parse_alternatives(&parser);
    (void)take(&parser, '$');
    add(&parser, NAME_STEP_END);
    return is_right && parser.at == text.len;
}

/* ---- matching -------------------------------------------------------------------------------------------------------------- */

/* Steps that a walk is at, each once: those that look at a character, and the end. */
struct front {
    int16_t at[NAME_PATTERN_STEPS_MAX];
    size_t count;
    bool has[NAME_PATTERN_STEPS_MAX];
};

static void clear(struct front *front, size_t step_count)
{
    front->count = 0;
    memset(front->has, 0, step_count * sizeof *front->has);
}

/* `step` and all that it goes on to without a character. */
static void reach(struct front *front, const struct name_pattern *pattern, size_t step)
{
    if (front->has[step])
        return;
    size_t from = front->count;
    front->has[step] = true;
    front->at[front->count++] = (int16_t)step;
    for (; from < front->count; from++) {
        const struct name_step *reached = &pattern->steps[front->at[from]];
        int ways = reached->kind == NAME_STEP_SPLIT ? 2 : reached->kind == NAME_STEP_JUMP ? 1 : 0;
        for (int i = 0; i < ways; i++) {
            int next = front->at[from] + reached->to[i];
            if (front->has[next])
                continue;
            front->has[next] = true;
            front->at[front->count++] = (int16_t)next;
        }
    }
}

static bool step_takes(const struct name_pattern *pattern, const struct name_step *step, mill_bytes character)
{
    size_t at = (size_t)step->at;
    switch (step->kind) {
    case NAME_STEP_CHARACTER:
        return mill_bytes_equal(character_at(pattern->text, pattern->len, at), character);
    case NAME_STEP_ANY:
        return true;
    case NAME_STEP_CLASS:
        return class_has(pattern->text[at], character);
    case NAME_STEP_SET:
        return set_has(pattern, at, character);
    default:
        return false;
    }
}

bool name_pattern_matches(const struct name_pattern *pattern, mill_bytes name)
{
    struct front fronts[2];
    struct front *front = &fronts[0];
    struct front *next = &fronts[1];
    clear(front, pattern->step_count);
    reach(front, pattern, 0);
    for (size_t at = 0; at < name.len && front->count > 0;) {
        mill_bytes character = character_at(name.data, name.len, at);
        clear(next, pattern->step_count);
        for (size_t i = 0; i < front->count; i++)
            if (step_takes(pattern, &pattern->steps[front->at[i]], character))
                reach(next, pattern, (size_t)front->at[i] + 1);
        struct front *old = front;
        front = next;
        next = old;
        at += character.len;
    }
    return front->has[pattern->step_count - 1];
}
