/* What the explorer of Python's schedules hears from the interpreter.
 *
 * A trace function in Python costs a microsecond for each call of any function, and the explored program makes two
 * thousand of them in an execution, most of them in the library and in the scheduler. Here these are told apart in C.
 * Python code runs only for code that is followed: when a function is entered, at each line, and before each
 * instruction that touches shared data.
 *
 * One thread runs at a time, so the objects need no lock. */
#include <frameobject.h>
#include <stddef.h>
#include <structmember.h>

#include "tracer/snapshot.h"

#define LF_TRACER_PLACES 8192 /* a power of two */

struct lf_tracer {
    PyObject_HEAD PyObject *enter;          /* is told of each new frame; NULL: nobody is */
    PyCodeObject *passed[LF_TRACER_PLACES]; /* codes that are not followed; those who add them keep them alive */
    unsigned full;
};

/* `f_trace` of a frame that is followed. */
struct lf_tracer_frame {
    PyObject_HEAD PyObject *touching; /* bytes: whether the instruction at this offset touches shared data */
    PyObject *touch;                  /* called before such an instruction, with the frame and the offset */
    PyObject *line;                   /* called at a new line, with the frame */
    PyObject *loop;                   /* called after so many instructions without a new line */
    Py_ssize_t most, instructions;
};

static PyTypeObject *lf_tracer_frame_type, *lf_tracer_untraced_type;

static PyCodeObject **lf_tracer_place(struct lf_tracer *self, PyCodeObject *code) {
    size_t at = ((uintptr_t)code >> 4) * 0x9E3779B97F4A7C15u >> 40;
    while (self->passed[at % LF_TRACER_PLACES] != NULL && self->passed[at % LF_TRACER_PLACES] != code)
        at++;
    return &self->passed[at % LF_TRACER_PLACES];
}

/* Calls a function and drops its result. An exception goes on in the traced code, and the tracing goes on, too: code
 * that catches everything in an endless loop is interrupted again in its next line. */
static int lf_tracer_tell(PyObject *function, PyObject *one, PyObject *two) {
    if (function == Py_None)
        return 0;
    PyObject *arguments[] = {one, two};
    PyObject *result = PyObject_Vectorcall(function, arguments, (one != NULL) + (two != NULL), NULL);
    if (result == NULL)
        return -1;
    Py_DECREF(result);
    return 0;
}

static int lf_tracer_before(struct lf_tracer_frame *self, PyFrameObject *frame) {
    if (++self->instructions > self->most) {
        self->instructions = 0;
        if (lf_tracer_tell(self->loop, NULL, NULL) != 0)
            return -1;
    }
    int offset = PyFrame_GetLasti(frame);
    if (offset < 0 || offset >= PyBytes_GET_SIZE(self->touching) || !PyBytes_AS_STRING(self->touching)[offset])
        return 0;
    PyObject *number = PyLong_FromLong(offset);
    int status = number != NULL ? lf_tracer_tell(self->touch, (PyObject *)frame, number) : -1;
    Py_XDECREF(number);
    return status;
}

static int lf_tracer_event(PyObject *object, PyFrameObject *frame, int what, PyObject *argument) {
    struct lf_tracer *self = (struct lf_tracer *)object;
    (void)argument;
    if (what != PyTrace_CALL && what != PyTrace_LINE && what != PyTrace_OPCODE)
        return 0;
    PyCodeObject *code = PyFrame_GetCode(frame);
    int passed = *lf_tracer_place(self, code) != NULL;
    Py_DECREF(code); /* the frame has it */
    if (passed || self->enter == NULL)
        return 0;
    if (what == PyTrace_CALL)
        return lf_tracer_tell(self->enter, (PyObject *)frame, NULL);
    PyObject *trace = PyObject_GetAttrString((PyObject *)frame, "f_trace");
    if (trace == NULL)
        return -1;
    int status = 0;
    if (Py_TYPE(trace) == lf_tracer_frame_type) {
        struct lf_tracer_frame *followed = (struct lf_tracer_frame *)trace;
        if (what == PyTrace_LINE) {
            followed->instructions = 0;
            status = lf_tracer_tell(followed->line, (PyObject *)frame, NULL);
        } else {
            status = lf_tracer_before(followed, frame);
        }
    }
    Py_DECREF(trace);
    return status;
}

static PyObject *lf_tracer_start(PyObject *self, PyObject *none) {
    (void)none;
    PyEval_SetTrace(lf_tracer_event, self);
    Py_RETURN_NONE;
}

static PyObject *lf_tracer_hear(PyObject *object, PyObject *enter) {
    struct lf_tracer *self = (struct lf_tracer *)object;
    Py_XSETREF(self->enter, enter == Py_None ? NULL : Py_NewRef(enter));
    Py_RETURN_NONE;
}

static PyObject *lf_tracer_pass(PyObject *object, PyObject *code) {
    struct lf_tracer *self = (struct lf_tracer *)object;
    if (!PyCode_Check(code))
        return PyErr_Format(PyExc_TypeError, "this is no code");
    if (self->full >= LF_TRACER_PLACES / 2) /* the function `enter` passes it each time */
        Py_RETURN_NONE;
    PyCodeObject **place = lf_tracer_place(self, (PyCodeObject *)code);
    self->full += *place == NULL;
    *place = (PyCodeObject *)code;
    Py_RETURN_NONE;
}

static PyObject *lf_tracer_follow(PyObject *self, PyObject *args) {
    PyObject *frame, *touching, *touch, *line, *loop;
    Py_ssize_t most;
    (void)self;
    if (!PyArg_ParseTuple(args, "O!SOOOn", &PyFrame_Type, &frame, &touching, &touch, &line, &loop, &most))
        return NULL;
    struct lf_tracer_frame *followed = PyObject_New(struct lf_tracer_frame, lf_tracer_frame_type);
    if (followed == NULL)
        return NULL;
    followed->touching = Py_NewRef(touching);
    followed->touch = Py_NewRef(touch);
    followed->line = Py_NewRef(line);
    followed->loop = Py_NewRef(loop);
    followed->most = most;
    followed->instructions = 0;
    int status = PyObject_SetAttrString(frame, "f_trace", (PyObject *)followed);
    Py_DECREF(followed);
    if (status != 0 || PyObject_SetAttrString(frame, "f_trace_opcodes", Py_True) != 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *lf_tracer_frame_call(PyObject *self, PyObject *args, PyObject *kwargs) {
    (void)args, (void)kwargs;
    return Py_NewRef(self); /* as a trace function in Python goes on with itself */
}

static void lf_tracer_frame_dealloc(PyObject *object) {
    struct lf_tracer_frame *self = (struct lf_tracer_frame *)object;
    PyTypeObject *type = Py_TYPE(object);
    Py_DECREF(self->touching);
    Py_DECREF(self->touch);
    Py_DECREF(self->line);
    Py_DECREF(self->loop);
    PyObject_Free(object);
    Py_DECREF(type);
}

static void lf_tracer_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    Py_XDECREF(((struct lf_tracer *)object)->enter);
    type->tp_free(object);
    Py_DECREF(type);
}

/* --- a function of the scheduler's, called without any tracing ------------------------------------------------ */

struct lf_tracer_untraced {
    PyObject_HEAD PyObject *function;
    vectorcallfunc call;
};

static PyObject *lf_tracer_untraced_call(PyObject *self, PyObject *const *args, size_t count, PyObject *names) {
    PyThreadState *thread = PyThreadState_Get();
    PyThreadState_EnterTracing(thread);
    PyObject *result = PyObject_Vectorcall(((struct lf_tracer_untraced *)self)->function, args, count, names);
    PyThreadState_LeaveTracing(thread);
    return result;
}

static PyObject *lf_tracer_untraced_bind(PyObject *self, PyObject *object, PyObject *type) {
    (void)type;
    return object == NULL || object == Py_None ? Py_NewRef(self) : PyMethod_New(self, object);
}

static void lf_tracer_untraced_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    Py_DECREF(((struct lf_tracer_untraced *)object)->function);
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyObject *lf_tracer_untraced(PyObject *module, PyObject *function) {
    (void)module;
    struct lf_tracer_untraced *made = PyObject_New(struct lf_tracer_untraced, lf_tracer_untraced_type);
    if (made == NULL)
        return NULL;
    made->function = Py_NewRef(function);
    made->call = lf_tracer_untraced_call;
    return (PyObject *)made;
}

/* --- the types ------------------------------------------------------------------------------------------------- */

static PyMethodDef lf_tracer_methods[] = {
    {"start", lf_tracer_start, METH_NOARGS, "Traces the calling thread, until `sys.settrace(None)`."},
    {"hear", lf_tracer_hear, METH_O, "From now on this function is told of each new frame; None: no function is."},
    {"skip", lf_tracer_pass, METH_O, "Frames of this code are not told of. The caller keeps it alive."},
    {"follow", lf_tracer_follow, METH_VARARGS,
     "Follows a frame: follow(frame, touching, touch, line, loop, most). touch(frame, offset) is called before each "
     "instruction at whose offset `touching` is not 0, line(frame) at each line, and loop() after more than `most` "
     "instructions without a new line."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot lf_tracer_slots[] = {
    {Py_tp_new, (void *)PyType_GenericNew},
    {Py_tp_dealloc, (void *)lf_tracer_dealloc},
    {Py_tp_methods, lf_tracer_methods},
    {0, NULL},
};
static PyType_Spec lf_tracer_spec = {
    .name = "lockfree._native.tracer.Tracer",
    .basicsize = sizeof(struct lf_tracer),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = lf_tracer_slots,
};
static PyType_Slot lf_tracer_frame_slots[] = {
    {Py_tp_call, (void *)lf_tracer_frame_call},
    {Py_tp_dealloc, (void *)lf_tracer_frame_dealloc},
    {0, NULL},
};
static PyType_Spec lf_tracer_frame_spec = {
    .name = "lockfree._native.tracer.Followed",
    .basicsize = sizeof(struct lf_tracer_frame),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lf_tracer_frame_slots,
};
static PyMemberDef lf_tracer_untraced_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(struct lf_tracer_untraced, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot lf_tracer_untraced_slots[] = {
    {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_descr_get, (void *)lf_tracer_untraced_bind},
    {Py_tp_dealloc, (void *)lf_tracer_untraced_dealloc},
    {Py_tp_members, lf_tracer_untraced_members},
    {0, NULL},
};
static PyType_Spec lf_tracer_untraced_spec = {
    .name = "lockfree._native.tracer.Untraced",
    .basicsize = sizeof(struct lf_tracer_untraced),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lf_tracer_untraced_slots,
};

static PyMethodDef lf_tracer_functions[] = {
    {"untraced", lf_tracer_untraced, METH_O, "The function, whose calls and all that they call are not traced."},
    {"snapshot", lf_snapshot_of, METH_O,
     "What classes and modules hold: a list of pairs of one and the set of the names that count, or None for all."},
    {NULL, NULL, 0, NULL},
};

/* 0, or -1 with a Python error set. */
static int lf_tracer_install(void) {
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *module = PyImport_ImportModule("lockfree._native.tracer");
    PyObject *tracer = PyType_FromSpec(&lf_tracer_spec);
    lf_tracer_frame_type = (PyTypeObject *)PyType_FromSpec(&lf_tracer_frame_spec);
    lf_tracer_untraced_type = (PyTypeObject *)PyType_FromSpec(&lf_tracer_untraced_spec);
    lf_snapshot_type = (PyTypeObject *)PyType_FromSpec(&lf_snapshot_spec);
    int made = module != NULL && tracer != NULL && lf_tracer_frame_type != NULL && lf_tracer_untraced_type != NULL &&
               lf_snapshot_type != NULL;
    int status = made ? PyModule_AddFunctions(module, lf_tracer_functions) : -1;
    if (status == 0)
        status = PyObject_SetAttrString(module, "Tracer", tracer);
    Py_XDECREF(tracer);
    Py_XDECREF(module);
    PyGILState_Release(state);
    return status;
}
