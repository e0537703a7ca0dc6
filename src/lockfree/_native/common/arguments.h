/* arguments.h: what Python callers pass, checked: positions and keywords, time-outs, integers.
 *
 * Everything is looked at before the operation begins, so that an argument of a wrong type is an error at every call, not
 * at those alone that have to wait. Conversions may run Python code: call these outside of lf_py_enter and lf_py_leave. */
#ifndef LOCKFREE_PY_ARGUMENTS_H
#define LOCKFREE_PY_ARGUMENTS_H

#include <lockfree/lockfree.h>
#include <math.h>

#define LF_PY_MOST_ARGUMENTS 5

/* A value as messages show it: its repr, at most 60 characters; its type if it has none (an int of 5,000 digits). */
static PyObject *lf_py_shown(PyObject *object) {
    PyObject *text = PyObject_Repr(object);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear();
        text = PyUnicode_FromFormat("a value of type %.50s", Py_TYPE(object)->tp_name);
    }
    if (text != NULL && PyUnicode_GET_LENGTH(text) > 60) {
        PyObject *head = PyUnicode_Substring(text, 0, 57);
        Py_SETREF(text, head != NULL ? PyUnicode_FromFormat("%U...", head) : NULL);
        Py_XDECREF(head);
    }
    return text;
}

/* The name of a value's type, as __name__: without its module. */
static const char *lf_py_type_name(PyObject *object) {
    const char *name = Py_TYPE(object)->tp_name, *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

/* Raises `kind` with a text in which `shown` stands for the value. */
#define LF_PY_BAD_VALUE(kind, object, ...)                                                                             \
    do {                                                                                                               \
        PyObject *shown = lf_py_shown(object);                                                                         \
        if (shown != NULL)                                                                                             \
            PyErr_Format(kind, __VA_ARGS__);                                                                           \
        Py_XDECREF(shown);                                                                                             \
    } while (0)

struct lf_py_signature {
    const char *method;
    int least; /* arguments that must be there */
    int most;
    const char *names[LF_PY_MOST_ARGUMENTS];
};

/* Whether a keyword stands for a name: `block` for `blocking`, too, as the locks of multiprocessing call it. */
static int lf_py_is_named(PyObject *keyword, const struct lf_py_signature *s, const char *name) {
    return PyUnicode_CompareWithASCIIString(keyword, name) == 0 ||
           (strcmp(s->method, "acquire") == 0 && strcmp(name, "blocking") == 0 &&
            PyUnicode_CompareWithASCIIString(keyword, "block") == 0);
}

/* block=None, as if it were not given: then `blocking` says it. */
static int lf_py_is_no_block(PyObject *keyword, const struct lf_py_signature *s, PyObject *value) {
    return value == Py_None && strcmp(s->method, "acquire") == 0 &&
           PyUnicode_CompareWithASCIIString(keyword, "block") == 0;
}

/* Puts the arguments in their places, borrowed; NULL where none was given. 0, or -1 with a TypeError. */
static int lf_py_arguments(PyObject *self, const struct lf_py_signature *s, PyObject *const *args, Py_ssize_t count,
                           PyObject *keywords, PyObject **places) {
    const char *type = Py_TYPE(self)->tp_name;
    Py_ssize_t named = keywords != NULL ? PyTuple_GET_SIZE(keywords) : 0, given = count + named;
    for (int i = 0; i < s->most; i++)
        places[i] = i < count ? args[i] : NULL;
    for (Py_ssize_t k = 0; k < named; k++)
        given -= lf_py_is_no_block(PyTuple_GET_ITEM(keywords, k), s, args[count + k]);
    if (given > s->most) {
        PyErr_Format(PyExc_TypeError, "%s.%s() takes at most %d argument%s (%zd given)", type, s->method, s->most,
                     s->most == 1 ? "" : "s", given);
        return -1;
    }
    for (Py_ssize_t k = 0; k < named; k++) {
        PyObject *keyword = PyTuple_GET_ITEM(keywords, k);
        if (lf_py_is_no_block(keyword, s, args[count + k]))
            continue;
        int i = 0;
        while (i < s->most && !lf_py_is_named(keyword, s, s->names[i]))
            i++;
        if (i == s->most) {
            PyErr_Format(PyExc_TypeError, "%s.%s() got an unexpected keyword argument %R", type, s->method, keyword);
            return -1;
        }
        if (places[i] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s.%s() got multiple values for argument %R", type, s->method, keyword);
            return -1;
        }
        places[i] = args[count + k];
    }
    for (int i = 0; i < s->least; i++)
        if (places[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s.%s() is missing its argument '%s'", type, s->method, s->names[i]);
            return -1;
        }
    return 0;
}

/* ---- time-outs ---- */

#define LF_PY_LONGEST 9223372036.0 /* seconds: the longest time-out that threading takes, 292 years */

/* Seconds as a double: 0, or -1 with a TypeError, or what else the object's own conversion raised. `none` says what may
 * stand there beside a number. A number beyond doubles becomes an infinite one. */
static int lf_py_seconds(PyObject *object, const char *none, double *seconds) {
    if (PyFloat_CheckExact(object)) {
        *seconds = PyFloat_AS_DOUBLE(object);
        return 0;
    }
    PyNumberMethods *number = Py_TYPE(object)->tp_as_number;
    if (number == NULL || (number->nb_float == NULL && number->nb_index == NULL)) {
        LF_PY_BAD_VALUE(PyExc_TypeError, object, "timeout is %U: it must be %s or a number of seconds", shown, none);
        return -1;
    }
    *seconds = PyFloat_AsDouble(object);
    if (*seconds == -1.0 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Clear();
            int overflow = 1; /* the sign, of a number beyond long long */
            if (PyLong_Check(object))
                PyLong_AsLongLongAndOverflow(object, &overflow);
            *seconds = overflow < 0 ? -INFINITY : INFINITY;
            return 0;
        }
        if (PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_Clear();
            LF_PY_BAD_VALUE(PyExc_TypeError, object, "timeout is %U: it must be %s or a number of seconds", shown,
                            none);
        }
        return -1;
    }
    return 0;
}

/* Nanoseconds to wait: LF_FOREVER is left to the callers. 0, or -1 with ValueError or OverflowError. */
static int lf_py_nanoseconds(PyObject *object, const char *none, double seconds, uint64_t *ns) {
    if (isnan(seconds) || seconds < 0) {
        LF_PY_BAD_VALUE(PyExc_ValueError, object, "timeout is %U: it must be %s or a number of seconds >= 0", shown,
                        none);
        return -1;
    }
    if (seconds > LF_PY_LONGEST) {
        LF_PY_BAD_VALUE(PyExc_OverflowError, object,
                        "timeout is %U: it must be at most %lld seconds (292 years), or %s to wait for ever", shown,
                        (long long)LF_PY_LONGEST, none);
        return -1;
    }
    *ns = (uint64_t)ceil(seconds * 1e9);
    return 0;
}

/* block and timeout of containers, with the conventions of queue.Queue: NULL or None waits for ever, and a time-out
 * without block has no effect: it must be a number, and may be below 0. *ns: nanoseconds to wait, 0 to try once, or
 * LF_FOREVER. 0 or -1. */
static int lf_py_patience(PyObject *block, PyObject *timeout, uint64_t *ns) {
    double seconds;
    int waits = block == NULL || block == Py_True ? 1 : PyObject_IsTrue(block);
    *ns = LF_FOREVER;
    if (waits < 0)
        return -1;
    if (timeout != NULL && timeout != Py_None &&
        (lf_py_seconds(timeout, "None", &seconds) != 0 ||
         lf_py_nanoseconds(timeout, "None", !waits && seconds < 0 ? 0 : seconds, ns) != 0))
        return -1;
    if (!waits)
        *ns = 0;
    return 0;
}

/* The time-out of a call that has no `block`, with the conventions of threading's wait: one below 0 has passed already, as a
 * program finds that computes what is left until a deadline. */
static inline int lf_py_remaining(PyObject *timeout, uint64_t *ns) {
    double seconds;
    *ns = LF_FOREVER;
    if (timeout == NULL || timeout == Py_None)
        return 0;
    if (lf_py_seconds(timeout, "None", &seconds) != 0)
        return -1;
    return lf_py_nanoseconds(timeout, "None", seconds < 0 ? 0 : seconds, ns);
}

/* The same for locks and semaphore, with the conventions of threading: a time-out with blocking=False is a ValueError.
 * `minus_one`: -1 waits for ever, and nothing else below 0 is taken (threading.Lock). Else: as lf_py_remaining. */
static int lf_py_lock_patience(PyObject *blocking, PyObject *timeout, int minus_one, uint64_t *ns) {
    const char *none = minus_one ? "-1" : "None";
    double seconds = -1;
    int waits = blocking == NULL || blocking == Py_True ? 1 : PyObject_IsTrue(blocking);
    if (waits < 0)
        return -1;
    *ns = waits ? LF_FOREVER : 0;
    if (timeout == NULL || timeout == Py_None)
        return 0;
    if (lf_py_seconds(timeout, none, &seconds) != 0)
        return -1;
    if (minus_one && seconds == -1)
        return 0;
    if (!minus_one && seconds < 0)
        seconds = 0;
    uint64_t limit;
    if (lf_py_nanoseconds(timeout, none, seconds, &limit) != 0)
        return -1;
    if (!waits) {
        PyErr_SetString(PyExc_ValueError, "can't specify a timeout for a non-blocking call");
        return -1;
    }
    *ns = limit;
    return 0;
}

/* The deadline of a wait that begins now. */
static uint64_t lf_py_deadline(uint64_t ns) { return ns == 0 || ns == LF_FOREVER ? ns : lf_now() + ns; }

/* (block, timeout), the arguments of all that may wait. `by_default`: whether it does. */
static inline int lf_py_block_and_timeout(PyObject *object, const char *method, int by_default, PyObject *const *args,
                                          Py_ssize_t count, PyObject *keywords, uint64_t *ns) {
    const struct lf_py_signature signature = {method, 0, 2, {"block", "timeout"}};
    PyObject *places[2];
    *ns = by_default ? LF_FOREVER : 0;
    if (LF_LIKELY(count == 0 && keywords == NULL))
        return 0;
    if (lf_py_arguments(object, &signature, args, count, keywords, places) != 0)
        return -1;
    return lf_py_patience(places[0] != NULL || by_default ? places[0] : Py_False, places[1], ns);
}

/* ---- integers ---- */

/* An int, or what has __index__, as an int; NULL with a TypeError that names the value. */
static PyObject *lf_py_index(const char *name, PyObject *object) {
    PyObject *index = PyIndex_Check(object) ? PyNumber_Index(object) : NULL;
    if (index == NULL && !PyErr_Occurred())
        LF_PY_BAD_VALUE(PyExc_TypeError, object, "%s is %U: it must be an integer", name, shown);
    return index;
}

/* An integer within [low, high]; else TypeError or ValueError that names the value and the bound. */
static int lf_py_integer(const char *name, PyObject *object, int64_t low, int64_t high, int64_t *value) {
    PyObject *index = lf_py_index(name, object);
    if (index == NULL)
        return -1;
    int overflow;
    *value = PyLong_AsLongLongAndOverflow(index, &overflow);
    if (overflow != 0 || *value < low || *value > high) {
        LF_PY_BAD_VALUE(PyExc_ValueError, index, "%s is %U: it must be between %lld and %lld", name, shown,
                        (long long)low, (long long)high);
        Py_DECREF(index);
        return -1;
    }
    Py_DECREF(index);
    return 0;
}

#endif
