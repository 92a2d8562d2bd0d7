/*
 * Everything: one include for a pipeline. Each header stands alone too.
 *
 * Read stream.h for what a pipeline says, window.h and table.h for aggregations, join.h for joins, serde.h for numbers and
 * windowed keys on the wire, app.h for running it, test_driver.h for testing it, processor.h for operators of your own.
 */
#ifndef MILLSTREAM_MILLSTREAM_H
#define MILLSTREAM_MILLSTREAM_H

#include "millstream/app.h"
#include "millstream/bytes.h"
#include "millstream/cogroup.h"
#include "millstream/error.h"
#include "millstream/errors.h"
#include "millstream/join.h"
#include "millstream/operators.h"
#include "millstream/processor.h"
#include "millstream/record.h"
#include "millstream/serde.h"
#include "millstream/stores.h"
#include "millstream/stream.h"
#include "millstream/suppress.h"
#include "millstream/table.h"
#include "millstream/topology.h"
#include "millstream/window.h"

#endif
