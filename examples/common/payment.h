/*
 * A payment: a line of CSV, `seconds,card,cents,country`.
 *
 *     1700000000,4929-0001,1250,NL
 */
#ifndef EXAMPLES_PAYMENT_H
#define EXAMPLES_PAYMENT_H

#include <stdbool.h>

#include <millstream/bytes.h>

struct payment {
    int64_t seconds; /* since 1970, not negative */
    mill_bytes card; /* not empty; views into the line, as is the next */
    int64_t cents;
    mill_bytes country; /* two bytes */
};

/* False: the line is of another form. */
bool payment_parse(mill_bytes line, struct payment *payment);

#endif
