package shopify

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"kvart/connectors/rest"
)

// bulkRead is a kind read whole by bulk operations.
type bulkRead struct {
	sp    spec
	top   *selection // what was asked of the records
	main  *assembler
	parts []bulkPart
	ops   []string // ids of the operations
}

// bulkPart is a connection read by an operation of its own.
type bulkPart struct {
	lift
	top *selection
	asm *assembler
	of  map[string][]int // lines by the record they belong to
}

// bulkTexts are the operations that read a kind: the main one, and those of
// parts. filter is the search term by which only some of its records are read, ""
// for all: then the main one tells of parts what each record has of them, since
// what is found by the same term need not be all.
func (s *shop) bulkTexts(sp spec, filter string) (main string, parts []string) {
	d := s.l[sp.list]
	skip, thin := make([]string, 0, len(sp.lift)), map[string]string{}
	for _, f := range sp.lift {
		skip, thin[f.field] = append(skip, f.field), f.root
		text, _ := lifted(d, filter, f.field, f.root, f.parent)
		parts = append(parts, text)
	}
	if filter != "" {
		return bulk(slim(d, thin), filter), parts
	}
	return bulk(d, "", skip...), parts
}

// readBulk runs the operations that read a kind whole, or as much of it as filter
// finds; resume are those that were started earlier.
func (s *shop) readBulk(ctx context.Context, sp spec, filter string, resume []string) (*bulkRead, error) {
	started := func(i int) string {
		if i < len(resume) {
			return resume[i]
		}
		return ""
	}
	text, parts := s.bulkTexts(sp, filter)
	ahead, err := s.startParts(ctx, parts, started)
	if err != nil {
		return nil, err
	}
	file, id, err := s.c.runBulk(ctx, s.l, text, s.begunFor(started(0), text), s.came, s.p.o.Temp)
	if err != nil {
		return nil, err
	}
	b := &bulkRead{sp: sp, top: s.l[sp.list].root[0], main: &assembler{spool: file, children: sp.children}, ops: []string{id}}
	for i, f := range sp.lift {
		part, id, err := s.readPart(ctx, sp, f, parts[i], ahead[i])
		if err != nil {
			return nil, errors.Join(err, b.close())
		}
		b.parts, b.ops = append(b.parts, part), append(b.ops, id)
	}
	return b, nil
}

// startParts starts the operations of parts, which then run beside the main one.
func (s *shop) startParts(ctx context.Context, texts []string, started func(int) string) (ids []string, err error) {
	for i, text := range texts {
		id := s.begunFor(started(i+1), text)
		if id == "" {
			op, err := s.c.runningBulk(ctx, s.l, text, s.came)
			if err != nil {
				return nil, err
			}
			if op != nil {
				id = op.ID
			}
		}
		if id == "" {
			if id, err = s.c.startBulk(ctx, s.l, text); err != nil {
				return nil, err
			}
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (s *shop) readPart(ctx context.Context, sp spec, f lift, text, resume string) (bulkPart, string, error) {
	_, top := lifted(s.l[sp.list], "", f.field, f.root, f.parent)
	file, id, err := s.c.runBulk(ctx, s.l, text, resume, s.came, s.p.o.Temp)
	if err != nil {
		return bulkPart{}, "", err
	}
	part := bulkPart{lift: f, top: top, asm: &assembler{spool: file, children: sp.children}, of: map[string][]int{}}
	for _, line := range file.roots {
		m, err := file.line(line)
		if err != nil {
			return bulkPart{}, "", errors.Join(err, file.close())
		}
		owner, _ := m[f.parent].(map[string]any)
		of, _ := owner["id"].(string)
		part.of[of] = append(part.of[of], line)
	}
	return part, id, nil
}

func (b *bulkRead) close() error {
	err := b.main.spool.close()
	for _, p := range b.parts {
		err = errors.Join(err, p.asm.spool.close())
	}
	return err
}

// record assembles the record of a root line.
func (b *bulkRead) record(line int) (map[string]any, error) {
	m, err := b.main.record(line, b.top.nodes().sel)
	if err != nil {
		return nil, err
	}
	id, _ := m["id"].(string)
	for _, p := range b.parts {
		all := []any{}
		for _, l := range p.of[id] {
			e, err := p.asm.record(l, p.top.nodes().sel)
			if err != nil {
				return nil, err
			}
			delete(e, p.parent)
			all = append(all, e)
		}
		m[p.field] = all
	}
	return m, nil
}

// recordsAtOnce is how many assembled records are finished together.
const recordsAtOnce = 100

// inBulk yields a kind that is read whole by bulk operations.
func (s *shop) inBulk(ctx context.Context, sp spec, resume string, yield func(rest.Record) error) (err error) {
	var ops []string
	skip := 0
	if text, ok := strings.CutPrefix(resume, resumeBulk); ok {
		list, n, _ := strings.Cut(text, "|")
		if skip, err = strconv.Atoi(n); err == nil {
			ops = strings.Split(list, ",")
		}
	}
	b, err := s.readBulk(ctx, sp, "", ops)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if !slices.Equal(b.ops, ops) {
		skip = 0
	}
	next := s.assembledAhead(ctx, b, skip)
	defer func() { next.work.Wait() }() // before it is closed
	for n := skip; n < len(b.main.spool.roots); n += recordsAtOnce {
		part := next
		if part.work.Wait(); part.err != nil {
			return part.err
		}
		next = s.assembledAhead(ctx, b, n+recordsAtOnce)
		for i, r := range part.records {
			r.Left, r.Once = len(b.main.spool.roots)-n-i, skip == 0
			r.Resume = resumeBulk + strings.Join(b.ops, ",") + "|" + strconv.Itoa(n)
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	if skip == 0 {
		return b.main.done()
	}
	return nil
}

// assembling is the putting together of some records, while those before are
// written to the mirror.
type assembling struct {
	work    sync.WaitGroup
	records []rest.Record
	err     error
}

// assembledAhead begins to put the records from the n-th on together.
func (s *shop) assembledAhead(ctx context.Context, b *bulkRead, n int) *assembling {
	a, roots := &assembling{}, b.main.spool.roots
	if lines := roots[min(n, len(roots)):min(n+recordsAtOnce, len(roots))]; len(lines) > 0 {
		a.work.Go(func() { a.records, a.err = s.assembled(ctx, b, lines) })
	}
	return a
}

// assembled puts the records of some lines together, on as many processors as
// there are, as [rest.Record.Fields].
func (s *shop) assembled(ctx context.Context, b *bulkRead, lines []int) ([]rest.Record, error) {
	elements := make([]map[string]any, len(lines))
	var g errgroup.Group
	size := max(1, (len(lines)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	for from := 0; from < len(lines); from += size {
		g.Go(func() (err error) {
			for i := from; i < min(from+size, len(lines)) && err == nil; i++ {
				elements[i], err = b.record(lines[i])
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return s.tidied(ctx, b.sp, elements)
}
