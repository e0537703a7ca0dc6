/* The note says what the messages are: nothing of those of a MessageRing, "Queue" of pickled objects. */
static int lf_py_message_ring_create(struct lf_message_ring *r, const char *name, const char *note, uint64_t blocks,
                                     uint64_t block_bytes, uint64_t most, uint64_t start) {
    int status = lf__message_ring_allocate(r, name, blocks, block_bytes, most, start);
    if (status != LF_OK)
        return status;
    status = lf_segment_write_note(&r->h, note, strlen(note));
    if (status == LF_OK)
        return lf_segment_publish(&r->h, name);
    lf_detach(&r->h);
    return status;
}
