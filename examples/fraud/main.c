/*
 * Suspicious payments, written with processors alone.
 *
 *     topic payments          lines of CSV: seconds,card,cents,country
 *       -> payments-cleared   card -> the line: nothing is wrong with it
 *       -> payments-alerts    card -> rule,line: "speed" is the fourth payment within a minute, "travel" another country within
 *                             the hour
 *       -> card-reports       card -> payments,cents: once the card has been silent for an hour, when it is forgotten
 *       -> payments-refused   lines of another form, as they were, with the reason in their headers
 *
 * Event time is a payment's own.       fraud [-X name=value]...
 */
#include <stdio.h>
#include <string.h>

#include <millstream/millstream.h>

#include "payment.h"

enum { RECENT = 3, SPEED_S = 60, TRAVEL_S = 3600, IDLE_S = 3600 };

/* What is known of a card: stored as it lies here. */
struct card {
    int64_t recent[RECENT]; /* times of the last payments, the newest first */
    int64_t payments;
    int64_t cents;
    char country[8];
};

static int check_line(void *ctx, const mill_record *line)
{
    struct payment payment;
    return payment_parse(line->value, &payment) ? MILL_OK : MILL_EINVALID;
}

static int64_t time_of_payment(void *ctx, const mill_record *line, int64_t partition_time_ms)
{
    struct payment payment;
    if (payment_parse(line->value, &payment))
        return MILL_SECONDS(payment.seconds);
    return partition_time_ms < 0 ? 0 : partition_time_ms; /* check_line refuses it */
}

static int key_by_card(mill_context *context, void *self, const mill_record *line)
{
    struct payment payment;
    mill_record keyed = *line;
    if (!payment_parse(line->value, &payment))
        return MILL_EINVALID;
    keyed.key = payment.card;
    return mill_forward(context, &keyed);
}

static const char *broken_rule(const struct card *card, const struct payment *payment)
{
    if (card->payments >= RECENT && payment->seconds - card->recent[RECENT - 1] < SPEED_S)
        return "speed";
    bool abroad = card->payments > 0 && memcmp(card->country, payment->country.data, 2) != 0;
    return abroad && payment->seconds - card->recent[0] < TRAVEL_S ? "travel" : NULL;
}

static void add_payment(struct card *card, const struct payment *payment)
{
    memmove(card->recent + 1, card->recent, (RECENT - 1) * sizeof card->recent[0]);
    card->recent[0] = payment->seconds;
    card->payments++;
    card->cents += payment->cents;
    memcpy(card->country, payment->country.data, 2);
}

static int watch(mill_context *context, void *self, const mill_record *line)
{
    mill_store *cards = mill_context_store(context, "cards");
    struct card card = { .payments = 0 };
    struct payment payment;
    mill_bytes stored;
    int code = payment_parse(line->value, &payment) ? mill_key_value_get(cards, line->key, &stored, NULL) : MILL_EINVALID;
    if (code == 1 && stored.len == sizeof card)
        memcpy(&card, stored.data, sizeof card);
    const char *rule = code < 0 ? NULL : broken_rule(&card, &payment);
    if (code >= 0) {
        add_payment(&card, &payment);
        code = mill_key_value_put(cards, line->key, mill_bytes_of(&card, sizeof card), line->timestamp_ms);
    }
    if (code < 0 || rule == NULL)
        return code < 0 ? code : mill_forward_to(context, "cleared", line);
    char text[256];
    int len = snprintf(text, sizeof text, "%s,%.*s", rule, (int)line->value.len, (const char *)line->value.data);
    mill_record alert = *line;
    alert.value = mill_bytes_of(text, len < (int)sizeof text ? (size_t)len : sizeof text - 1);
    return mill_forward_to(context, "alerts", &alert);
}

/* Every minute of event time. */
static int forget_idle_cards(mill_context *context, void *self, int64_t now_ms)
{
    mill_store *cards = mill_context_store(context, "cards");
    mill_store_iterator *all;
    mill_store_entry entry;
    int code = mill_key_value_all(cards, MILL_FORWARD, &all);
    while (code >= 0 && (code = mill_store_iterator_next(all, &entry)) == 1) {
        struct card card;
        char text[64];
        if (entry.value.len != sizeof card)
            continue; /* as in watch: of an older version of this program */
        memcpy(&card, entry.value.data, sizeof card);
        if (MILL_SECONDS(card.recent[0] + IDLE_S) > now_ms)
            continue;
        int len = snprintf(text, sizeof text, "%lld,%lld", (long long)card.payments, (long long)card.cents);
        mill_record report = { .key = entry.key, .value = mill_bytes_of(text, (size_t)len), .timestamp_ms = now_ms };
        code = mill_forward_to(context, "reports", &report);
        code = code < 0 ? code : mill_key_value_delete(cards, entry.key, now_ms);
    }
    return code;
}

static int watch_init(mill_context *context, void *self, const void *argument)
{
    return mill_context_schedule(context, MILL_MINUTES(1), MILL_PUNCTUATE_STREAM_TIME, forget_idle_cards) ? MILL_OK : MILL_ENOMEM;
}

static const mill_processor_type key_by_card_type = { .name = "key-by-card", .process = key_by_card };
static const mill_processor_type watch_type = { .name = "watch", .init = watch_init, .process = watch };

int main(int argc, char **argv)
{
    static const char *const defaults[] = {
        "commit.interval.ms", "1000", "deserialization.exception.handler", "continue", "errors.dead.letter.queue.topic.name",
        "payments-refused",   NULL
    };
    mill_topology *t = mill_topology_new();
    mill_source_options lines = { .extractor = time_of_payment, .check = check_line };
    mill_store_builder *cards[] = { mill_key_value_store("cards") };
    mill_processor_supplier keyed = { .type = &key_by_card_type };
    mill_processor_supplier watched = { .type = &watch_type, .stores = cards, .store_count = 1 };
    mill_topology_add_repartition(t, "by-card", 0);
    mill_topology_add_source(t, "payments", (const char *[]){ "payments" }, 1, &lines);
    mill_topology_add_processor(t, "key-by-card", keyed, (const char *[]){ "payments" }, 1);
    mill_topology_add_sink(t, "to-cards", "by-card-repartition", NULL, (const char *[]){ "key-by-card" }, 1);
    mill_topology_add_source(t, "by-card", (const char *[]){ "by-card-repartition" }, 1, NULL);
    mill_topology_add_processor(t, "watch", watched, (const char *[]){ "by-card" }, 1);
    mill_topology_add_sink(t, "cleared", "payments-cleared", NULL, (const char *[]){ "watch" }, 1);
    mill_topology_add_sink(t, "alerts", "payments-alerts", NULL, (const char *[]){ "watch" }, 1);
    mill_topology_add_sink(t, "reports", "card-reports", NULL, (const char *[]){ "watch" }, 1);
    return mill_main_with(argc, argv, "fraud", t, defaults);
}
