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
char *strnchr(const char *string, size_t count, int character);
char *strrchr(const char *string, int character);
char *strstr(const char *string, const char *part);
char *strnstr(const char *string, const char *part, size_t count);
int strcasecmp(const char *a, const char *b);
int strncasecmp(const char *a, const char *b, size_t count);
ssize_t strscpy(char *to, const char *from, size_t count);
size_t strlcpy(char *to, const char *from, size_t count);
size_t strlcat(char *to, const char *from, size_t count);
char *strcpy(char *to, const char *from);
char *strncpy(char *to, const char *from, size_t count);
char *strcat(char *to, const char *from);
char *strncat(char *to, const char *from, size_t count);
size_t strspn(const char *string, const char *accepted);
size_t strcspn(const char *string, const char *refused);
char *strpbrk(const char *string, const char *wanted);
char *strsep(char **string, const char *separators);
char *strim(char *string);
char *skip_spaces(const char *string);
void *memchr(const void *from, int character, size_t count);
void *memchr_inv(const void *from, int character, size_t count);

/* Copies from kmalloc; kfree() them. */
char *kstrdup(const char *string, gfp_t flags);
char *kstrndup(const char *string, size_t limit, gfp_t flags);
void *kmemdup(const void *from, size_t count, gfp_t flags);
