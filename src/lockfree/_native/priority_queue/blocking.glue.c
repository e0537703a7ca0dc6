static int lf_py_priority_queue_create(struct lf_priority_queue *q, const char *name, const char *note,
                                       uint64_t capacity, uint64_t record_size, uint64_t levels, uint64_t start) {
    int status = lf__priority_queue_allocate(q, name, capacity, record_size, levels, start);
    if (status != LF_OK)
        return status;
    status = lf_segment_write_note(&q->h, note, strlen(note));
    if (status == LF_OK)
        return lf_segment_publish(&q->h, name);
    lf_detach(&q->h);
    return status;
}
