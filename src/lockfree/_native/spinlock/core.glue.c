LF_PY_LOCK(spinlock, "SpinLock")
LF_PY_SURVEY(spinlock, {
    uint64_t word = lf_load_relaxed(x->word);
    s->inside = lf__lock_participant(word) != 0;
    s->room = 1;
    lf_py_survey_hold(s, lf__lock_participant(word));
})
LF_PY_TYPE(spinlock)
