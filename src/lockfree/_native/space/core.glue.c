/* Space as a Python type: its life. What it hands out are the types of the other primitives. */
static PyTypeObject *lf_py_space_type;
LF_PY_KIND(space)

static PyMethodDef lf_py_space_methods[] = {LF_PY_SHARED_METHODS{NULL, NULL, 0, NULL}};
static PyGetSetDef lf_py_space_properties[] = {LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL}};
LF_PY_SPEC(space, "Space")

/* The number of objects, and who holds which of the locks. */
static void lf_py_survey_space(struct lf_space *x, struct lf_py_survey *s) {
    struct lf__space_kind k;
    uint64_t end = lf__space_end(x);
    s->inside = 0;
    for (uint64_t at = 0; at < end && lf__space_chunk_at(x, at, end, &k) != NULL; at += lf__space_chunk_bytes(&k)) {
        union lf__space_object object;
        s->inside++;
        if (lf__space_look(x, &object.h, &k, at) != LF_OK)
            continue;
        switch (k.kind->number) {
        case LF_KIND_MUTEX:
        case LF_KIND_SPINLOCK:
        case LF_KIND_RLOCK:
        case LF_KIND_RWLOCK:
        case LF_KIND_CONDITION:
            lf_py_survey_hold(s, lf__lock_participant(lf_load_relaxed((uint64_t *)(void *)object.h.body)));
        }
    }
}
LF_PY_SURVEY(space, { lf_py_survey_space(x, s); })
LF_PY_TYPE(space)
