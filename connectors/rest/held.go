package rest

const (
	heldOps   = 2000    // ops that are held whole at a time
	heldBytes = 2 << 20 // of records they may hold, as text; in memory it is some thirty times that
)

// loaded is a record of the point with its content.
func (s *restore) loaded(k Kind, w want) (want, error) {
	if w.record != nil {
		return w, nil
	}
	full, err := s.sel.read(k, k.place(w.id))
	full.only = w.only
	return full, err
}

// slim takes the content out of the last of ops, of so many that they are not all
// held: it comes back with [restore.whole].
func (s *restore) slim(k Kind, ops []Op, of int) {
	if of <= fresh || len(ops) == 0 {
		return
	}
	op := &ops[len(ops)-1]
	op.Record, op.Full, op.Open = nil, nil, nil
}

// whole returns the first of ops with their content as it is to be now, as many as
// are held at a time and one at least.
func (s *restore) whole(k Kind, ops []Op) (out []Op, err error) {
	size := 0
	for _, op := range ops[:min(len(ops), heldOps)] {
		if op.Do != DoDelete && op.Record == nil {
			w, err := s.sel.read(k, k.place(op.Was))
			if err != nil {
				return nil, err
			}
			if size += w.size; size > heldBytes && len(out) > 0 {
				return out, nil
			}
			op.Record, op.Full = s.mapped(k, w), w.record
			if k.File && op.Do == DoCreate {
				op.Open = s.opener(k, w.record)
			}
		}
		out = append(out, op)
	}
	return out, nil
}
