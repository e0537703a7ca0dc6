LF_PY_LOCK(mutex, "Mutex")
LF_PY_SURVEY(mutex, {
    uint64_t word = lf_load_relaxed(x->word);
    s->inside = lf__lock_participant(word) != 0;
    s->room = 1;
    lf_py_survey_hold(s, lf__lock_participant(word));
})
LF_PY_TYPE(mutex)
