/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory and strings of the EL1 half; the kernel exports them. EL2 has ops->memcpy and ops->memset. */
#pragma once

#include <linux/types.h>

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *string);
size_t strnlen(const char *string, size_t count);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t count);
char *strchr(const char *string, int character);
char *strstr(const char *string, const char *part);
