package watch

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kvart/app"
)

// simFile is a file of a simulated source.
type simFile struct {
	body []byte
	at   time.Time
}

// sim is a source that is watched quarter by quarter, as the guard would.
type sim struct {
	t       *testing.T
	w       *Watch
	learned []byte
	now     time.Time
	rnd     *rand.Rand

	files map[string]simFile
	stats app.Stats
	held  map[string]int64
	facts app.RunFacts // what else the next run shows
	last  map[string]time.Time

	open  *app.Unusual
	asked []app.Unusual // every question, in order
	marks int           // runs marked
}

func newSim(t *testing.T) *sim {
	t.Helper()
	return &sim{
		t: t, w: New(Options{}), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.Local), rnd: rand.New(rand.NewPCG(1, 2)),
		files: map[string]simFile{}, stats: app.Stats{}, last: map[string]time.Time{},
	}
}

// put writes a file, with content of its type.
func (s *sim) put(path string, n int, at time.Time) {
	kind, _ := kindOf(path)
	body := s.noise(n)
	if begin := map[string]string{".jpg": "\xff\xd8\xff\xe0", ".pdf": "%PDF-1.7\n", ".xlsx": "PK\x03\x04"}[kind]; begin != "" {
		copy(body, begin)
	} else if isText(kind) {
		body = bytes.Repeat([]byte("kvitto;vara;pris;antal\n"), n/23+2)
	}
	s.files[path] = simFile{body, at}
}

func (s *sim) noise(n int) []byte {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, s.rnd.Uint64())
	}
	return b[:n]
}

// quarter is one run. As a vault does, it opens only what is not as it was.
func (s *sim) quarter() app.Finding {
	s.t.Helper()
	r, err := s.w.Begin(s.learned)
	if err != nil {
		s.t.Fatal(err)
	}
	for path, f := range s.files {
		i := r.Item(app.Item{Path: path, Size: int64(len(f.body)), ModTime: f.at, Mode: 0o600, Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(f.body)), nil
		}})
		if s.last[path].Equal(f.at) {
			continue
		}
		s.last[path] = f.at
		in, err := i.Open(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, in); err != nil {
			s.t.Fatal(err)
		}
		if err := in.Close(); err != nil {
			s.t.Fatal(err)
		}
	}
	for kind, n := range s.held {
		i := r.Item(app.Item{Path: kind + ".missing", Size: -1, Mode: 0o600, Optional: true, Open: func(context.Context) (io.ReadCloser, error) {
			return nil, (&app.Error{Code: app.CodeShopShrunk}).With("kind", kind).With("count", fmt.Sprint(n))
		}})
		if _, err := i.Open(s.t.Context()); err == nil {
			s.t.Fatal("missing kind opened")
		}
	}
	f := s.facts
	f.At, f.Stats, f.Asked = s.now, maps.Clone(s.stats), s.open != nil
	found, learned, err := r.Judge(f)
	if err != nil {
		s.t.Fatal(err)
	}
	s.learned, s.facts, s.held = learned, app.RunFacts{Server: f.Server, Bytes: f.Bytes}, nil
	if found.Level != app.UnusualNone {
		s.marks++
		if s.open == nil {
			s.open = &app.Unusual{At: s.now, Level: found.Level, Reasons: found.Reasons}
			s.asked = append(s.asked, *s.open)
		} else {
			s.open.Reasons = append(s.open.Reasons, found.Reasons...)
		}
	}
	s.now = s.now.Add(app.QuarterLength)
	return found
}

func (s *sim) answer(yes bool) {
	s.t.Helper()
	if s.open == nil {
		s.t.Fatal("nothing was asked")
	}
	learned, err := s.w.Teach(s.learned, *s.open, yes, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	s.learned, s.open = learned, nil
}

func (s *sim) none(why string) {
	s.t.Helper()
	if len(s.asked) > 0 {
		s.t.Fatalf("%s: asked %+v", why, s.asked)
	}
}

func (s *sim) want(f app.Finding, level app.UnusualLevel, codes ...app.UnusualCode) {
	s.t.Helper()
	var got []app.UnusualCode
	for _, r := range f.Reasons {
		got = append(got, r.Code)
	}
	for _, c := range codes {
		if !slices.Contains(got, c) {
			s.t.Errorf("no %q in %+v", c, f)
		}
	}
	if f.Level != level {
		s.t.Errorf("level %q, want %q: %+v", f.Level, level, f.Reasons)
	}
}

// folder fills the source with a shop's folder: old pictures, receipts, lists.
func (s *sim) folder() {
	for i := range 400 {
		s.put(fmt.Sprintf("bilder/%03d.jpg", i), 6000, s.now.AddDate(-1, 0, -i))
	}
	for i := range 120 {
		s.put(fmt.Sprintf("kvitton/%03d.pdf", i), 5000, s.now.AddDate(0, 0, -i))
	}
	for i := range 30 {
		s.put(fmt.Sprintf("listor/%03d.csv", i), 4000, s.now.AddDate(0, -1, -i))
	}
}

// trade is the source's life until a time: receipts come, lists are written
// anew every evening, now and then pictures are changed; on Sundays the log
// table is emptied.
func (s *sim) trade(until time.Time) {
	for s.now.Before(until) {
		h := s.now.Hour()
		if h < 8 || h >= 20 {
			s.now = s.now.Add(app.QuarterLength)
			continue
		}
		day := s.now.Format("060102")
		if s.now.Minute() < 45 {
			s.put("kvitton/"+day+s.now.Format("1504")+".pdf", 5000, s.now)
		}
		s.stats["table.kvitto"] += 9
		s.stats["table.kund"] += int64(s.now.Minute() / 45)
		s.stats["table.session"] = int64(s.rnd.IntN(400))
		s.stats["table.logg_rader"] += 40
		if s.now.Weekday() == time.Saturday && h == 12 && s.last["bilder/ny"+day+"0.jpg"].IsZero() {
			for i := range 15 {
				s.put(fmt.Sprintf("bilder/%03d.jpg", s.rnd.IntN(400)), 6000, s.now)
				s.put(fmt.Sprintf("bilder/ny%s%d.jpg", day, i), 6000, s.now)
			}
		}
		if h == 19 && !s.last["listor/000.csv"].After(s.now.Add(-12*time.Hour)) {
			for i := range 30 {
				s.put(fmt.Sprintf("listor/%03d.csv", i), 4000, s.now)
			}
			s.put("säkerhetskopia/"+day+".zzip", 3000, s.now)
		}
		if s.now.Weekday() == time.Sunday {
			s.stats["table.session"] = 0
		}
		s.quarter()
		s.now = s.now.Add(2 * app.QuarterLength) // every third moves anything
	}
}

func (s *sim) started() *sim {
	s.stats = app.Stats{"table.kvitto": 20000, "table.kund": 900, "table.artikel": 350, "table.session": 100, "table.logg_rader": 5000, "bytes": 1 << 20}
	s.folder()
	return s
}

// products fills the source with a shop's products.
func (s *sim) products(n int) {
	for i := range n {
		s.product(i, 100+i, 5)
	}
	s.stats = app.Stats{"kind.products": int64(n), "kind.orders": 4000, "kind.customers": 800}
}

func (s *sim) product(i, price, stock int) {
	s.files[fmt.Sprintf("products/%03d.json", i)] = simFile{
		fmt.Appendf(nil, `{"id":%d,"name":"Kopp %d","regular_price":"%d.00","variants":[{"price":"%d"}],"stock_quantity":%d}`, i, i, price, price, stock), s.now,
	}
}
