#include "conformance/faults.h"

static const char *const TEXTS[FAULT_COUNT] = { [FAULT_NONE] = "none",
#define CONFORMANCE_FAULT_TEXT(name, text) [FAULT_##name] = text,
                                                CONFORMANCE_FAULTS(CONFORMANCE_FAULT_TEXT)
#undef CONFORMANCE_FAULT_TEXT
};

const char *fault_text(enum fault fault)
{
    return TEXTS[fault];
}
