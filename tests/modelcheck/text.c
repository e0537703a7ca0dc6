/* What functions of the C library read and write. A client's name says what is found: `right_...` nothing. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockfree_model.h"

static char word[16] = "12 34";
static int number;
static struct pair {
    int key, value;
} pairs[3];

static void setup(void) {
    for (int i = 0; i < 3; i++)
        pairs[i] = (struct pair){3 - i, 0};
}
static void writes_word(void) { word[1] = '7'; }
static void writes_number(void) { number = 1; }
static void writes_value(void) { pairs[1].value = 1; }

#define RACES(name, statement, other)                                                                                  \
    static void name(void) { statement; }                                                                              \
    LF_MODEL_CLIENT(data_race__##name, .setup = setup, .threads = {name, other})

static int by_key(const void *a, const void *b) {
    return ((const struct pair *)a)->key - ((const struct pair *)b)->key;
}
static void first_line(void) {
    FILE *file = fopen(__FILE__, "r");
    lf_model_assert(file != NULL && fgets(word, sizeof word, file) != NULL);
    fclose(file);
}
static void first_bytes(void) {
    FILE *file = fopen(__FILE__, "r");
    lf_model_assert(file != NULL && fread(word, 1, 8, file) == 8);
    fclose(file);
}

RACES(puts_, puts(word), writes_word);
RACES(fputs_, fputs(word, stderr), writes_word);
RACES(printf_, printf("%d %.2f %s\n", 1, 2.5, word), writes_word);
RACES(snprintf_, char to[20]; snprintf(to, sizeof to, "%s", word), writes_word);
RACES(counts, printf("some%n\n", &number), writes_number);
RACES(strtol_, strtol(word, NULL, 10), writes_word);
RACES(strtod_, strtod(word, NULL), writes_word);
RACES(atoi_, number += atoi(word), writes_word);
RACES(sscanf_reads, int into; sscanf(word, "%d", &into), writes_word);
RACES(sscanf_writes, sscanf("5", "%d", &number), writes_number);
RACES(strtok_r_, char *rest; strtok_r(word, "2", &rest), writes_word);
RACES(strsep_, char *rest = word; strsep(&rest, "2"), writes_word);
RACES(strcasecmp_, number += strcasecmp(word, "12 35") == 9, writes_word);
RACES(strcspn_, number += (int)strcspn(word, "4"), writes_word);
RACES(mempcpy_, mempcpy(word, "abcd", 4), writes_word);
RACES(qsort_, qsort(pairs, 3, sizeof *pairs, by_key), writes_value);
RACES(fgets_, first_line(), writes_word);
RACES(fread_, first_bytes(), writes_word);

static _Atomic(char *) shown;
static void prints_anew(void) {
    char *text;
    lf_model_assert(asprintf(&text, "%s-%d", "a", 42) == 4);
    atomic_store_explicit(&shown, text, memory_order_relaxed);
}
static void reads_it(void) {
    char *text = atomic_load_explicit(&shown, memory_order_relaxed);
    lf_model_assert(text == NULL || text[0] == 'a');
}
LF_MODEL_CLIENT(data_race__asprintf_, .threads = {prints_anew, reads_it});

static void scans(void) {
    int a, n, part;
    long b;
    double d;
    short h;
    char text[10], letter, few[4];
    n = sscanf("12 34 2.5 word x 7 abc 99", "%d %ld %lf %9s %c %hd %3[a-c] %*d%n", &a, &b, &d, text, &letter, &h, few,
               &part);
    lf_model_assert(n == 7 && a == 12 && b == 34 && d == 2.5 && h == 7 && letter == 'x');
    lf_model_assert(strcmp(text, "word") == 0 && strcmp(few, "abc") == 0);
    lf_model_assert(sscanf("no", "%d", &a) == 0 && sscanf("", "%d", &a) == EOF);
}
LF_MODEL_CLIENT(right_scans, .threads = {scans});

static void prints(void) {
    char text[100], *anew;
    const char raw[3] = {'a', 'b', 'c'};
    int n = snprintf(text, sizeof text, "%hd %*d %-3s|%.3s %c %zu %Lf%%", (short)3, 4, 7, "x", raw, 'q', (size_t)9,
                     2.5L);
    lf_model_assert(n == (int)strlen(text) && strcmp(text, "3    7 x  |abc q 9 2.500000%") == 0);
    lf_model_assert(asprintf(&anew, "%s %s", text, word) == n + 6);
    free(anew);
    lf_model_assert(sprintf(text, "%s", word) == 5 && strcmp(text, word) == 0);
}
LF_MODEL_CLIENT(right_prints, .threads = {prints});

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static void sorts_and_splits(void) {
    int numbers[40], few[] = {3, 1, 2};
    for (int i = 0; i < 40; i++)
        numbers[i] = i * 7 % 40;
    qsort(numbers, 40, sizeof *numbers, by_number);
    for (int i = 0; i < 40; i++)
        lf_model_assert(numbers[i] == i);
    qsort(few, 3, sizeof *few, by_number);
    lf_model_assert(few[0] == 1 && few[2] == 3);
    char list[] = " a,bb;;c", assigned[] = "k=v=w", *rest, *at = assigned;
    size_t letters = 0;
    for (char *part = strtok_r(list, " ,;", &rest); part != NULL; part = strtok_r(NULL, " ,;", &rest))
        letters += strlen(part);
    lf_model_assert(letters == 4 && strcmp(strsep(&at, "="), "k") == 0 && strcmp(at, "v=w") == 0);
    char *end;
    lf_model_assert(strtol("0x1fz", &end, 0) == 31 && *end == 'z' && atof("2.5") == 2.5);
}
LF_MODEL_CLIENT(right_sorts_and_splits, .threads = {sorts_and_splits});

static void reads_lines(void) {
    FILE *file = fopen(__FILE__, "r");
    char *line = NULL;
    size_t room = 0;
    int lines = 0;
    lf_model_assert(file != NULL);
    while (getline(&line, &room, file) > 0)
        lines++;
    lf_model_assert(lines > 100 && strlen(line) < room);
    free(line);
    fclose(file);
}
LF_MODEL_CLIENT(right_reads_lines, .threads = {reads_lines});
