/* What the machine gives: the calibrator, and the disk of a directory (the first argument, else the current one). */
#include <stdio.h>

#include "bench/calibrate.h"
#include "bench/disk.h"

enum { ROUNDS = 3, DISK_BYTES = 256 << 20 };

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : ".";
    for (int i = 0; i < ROUNDS; i++) {
        struct calibration now;
        calibrate(&now);
        double disk = disk_append_and_sync(directory, DISK_BYTES);
        printf("crc32c %.1f GB/s  memcpy %.1f GB/s  mix %.0f M/s  speed %.2f   append and sync %.2f GB/s  speed %.2f\n",
               now.crc_bytes_per_second * 1e-9, now.memcpy_bytes_per_second * 1e-9, now.mixes_per_second * 1e-6,
               calibration_speed(&now), disk * 1e-9, disk_speed(disk));
    }
    return 0;
}
