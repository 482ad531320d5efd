drop index sessions_origin_idx;
