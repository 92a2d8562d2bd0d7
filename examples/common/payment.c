#include "payment.h"

#include "fields.h"
#include "flight.h"

bool payment_parse(mill_bytes line, struct payment *payment)
{
    struct csv_row row = csv_row_of(line);
    mill_bytes seconds;
    mill_bytes cents;
    return csv_next(&row, &seconds) && csv_next(&row, &payment->card) && csv_next(&row, &cents) &&
           csv_next(&row, &payment->country) && payment->country.len == 2 && payment->card.len > 0 &&
           number_parse(seconds, &payment->seconds) && payment->seconds >= 0 && number_parse(cents, &payment->cents);
}
