static int lf_py_latest_value_create(struct lf_latest_value *v, const char *name, const char *note,
                                     uint64_t record_size, uint64_t copies) {
    int status = lf__latest_value_allocate(v, name, record_size, copies);
    if (status != LF_OK)
        return status;
    status = lf_segment_write_note(&v->h, note, strlen(note));
    if (status == LF_OK)
        return lf_segment_publish(&v->h, name);
    lf_detach(&v->h);
    return status;
}
