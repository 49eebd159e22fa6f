#include "print.h"

#include <stdarg.h>

#include "syscall.h"

enum { STDOUT = 1 };

struct line {
    unsigned length;
    char text[PRINT_LENGTH_MAX];
};

/** How one value is laid out: %-8lu is {width 8, left}. */
struct field {
    unsigned width;
    char pad;
    int left;
};

static void put(struct line *line, char c) {
    if (line->length < PRINT_LENGTH_MAX) line->text[line->length++] = c;
}

static void put_padded(struct line *line, struct field field, const char *text, unsigned length) {
    unsigned padding = field.width > length ? field.width - length : 0;
    if (!field.left) {
        for (unsigned i = 0; i < padding; i++) put(line, field.pad);
    }
    for (unsigned i = 0; i < length; i++) put(line, text[i]);
    if (field.left) {
        for (unsigned i = 0; i < padding; i++) put(line, ' ');
    }
}

static void put_number(struct line *line, struct field field, unsigned long value, unsigned base, int negative) {
    char digits[24];
    unsigned start = sizeof digits;
    do {
        digits[--start] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    if (negative) digits[--start] = '-';
    put_padded(line, field, digits + start, sizeof digits - start);
}

static void put_string(struct line *line, struct field field, const char *text) {
    unsigned length = 0;
    while (text[length] != 0) length++;
    put_padded(line, field, text, length);
}

static unsigned long take_unsigned(va_list *values, int is_long) {
    return is_long ? va_arg(*values, unsigned long) : va_arg(*values, unsigned);
}

static void put_signed(struct line *line, struct field field, long value) {
    put_number(line, field, value < 0 ? -(unsigned long)value : (unsigned long)value, 10, value < 0);
}

static void format_line(struct line *line, const char *format, va_list *values) {
    for (; *format != 0; format++) {
        if (*format != '%') {
            put(line, *format);
            continue;
        }
        struct field field = {0, ' ', 0};
        int is_long = 0;
        for (format++; *format == '-' || *format == '0'; format++) {
            if (*format == '-') field.left = 1;
            else field.pad = '0';
        }
        for (; *format >= '0' && *format <= '9'; format++) field.width = field.width * 10 + (unsigned)(*format - '0');
        for (; *format == 'l'; format++) is_long = 1;
        switch (*format) {
        case 'd': put_signed(line, field, is_long ? va_arg(*values, long) : va_arg(*values, int)); break;
        case 'u': put_number(line, field, take_unsigned(values, is_long), 10, 0); break;
        case 'x': put_number(line, field, take_unsigned(values, is_long), 16, 0); break;
        case 's': put_string(line, field, va_arg(*values, const char *)); break;
        case 'c': put(line, (char)va_arg(*values, int)); break;
        default: put(line, *format); break;
        }
    }
}

/** write(2) may take less than it was given: a pipe that is nearly full does. */
static void write_line(const struct line *line) {
    for (unsigned done = 0; done < line->length;) {
        long written = sys_write(STDOUT, line->text + done, line->length - done);
        if (written <= 0) sys_exit_group(1);
        done += (unsigned)written;
    }
}

void print(const char *format, ...) {
    struct line line = {.length = 0};
    va_list values;
    va_start(values, format);
    format_line(&line, format, &values);
    va_end(values);
    write_line(&line);
}

void fail(const char *format, ...) {
    struct line line = {.length = 0};
    va_list values;
    put_string(&line, (struct field){0, ' ', 0}, "FAIL: ");
    va_start(values, format);
    format_line(&line, format, &values);
    va_end(values);
    put(&line, '\n');
    write_line(&line);
    sys_exit_group(1);
}
