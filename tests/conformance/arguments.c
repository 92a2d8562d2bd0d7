#include "conformance/arguments.h"

#include <stdlib.h>
#include <string.h>

bool argument_number(const char *name, const char *argument, const char *value, uint64_t *number)
{
    char *end;
    if (strcmp(name, argument) != 0 || value == NULL)
        return false;
    *number = strtoull(value, &end, 10);
    return end != value && *end == '\0';
}
