package watch

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// form is the form in which what was learned is written.
const form = 1

// state is what was learned of one source.
type state struct {
	about
	files map[uint64]file
}

// about is the part of a state that is not about single files.
type about struct {
	Form int `json:"form"`
	// Since is the first run, Last the newest.
	Since time.Time `json:"since"`
	Last  time.Time `json:"last"`
	// From is when the day began over which slow changes are added up, if that
	// is less than a day ago: the owner's answer begins a new one.
	From uint32 `json:"from"`
	// Kinds are the endings and kinds of records that files refer to.
	Kinds []kindAbout `json:"kinds"`
	// Counts are the newest, High the highest of each half day.
	Counts map[string]int64    `json:"counts"`
	High   map[string][3]int64 `json:"high"`
	HighAt int64               `json:"highAt"` // which half day the first of High is
	// Usual is how far ordinary days went, by rule and weekday.
	Usual map[string]*[7]usual `json:"usual"`
	// Taught is how far the owner said was theirs.
	Taught map[string]taught `json:"taught"`
	// Turned is how many runs in a row found no database where there was one.
	Turned int `json:"turned,omitempty"`
	// Ratios are what was sent of what was read, in the newest runs.
	Ratios []float32 `json:"ratios"`
}

// kindAbout is what is known of an ending or kind of record.
type kindAbout struct {
	Name  string `json:"name"`
	Since uint32 `json:"since"` // minute it was first seen in
	// Ours reports that the owner said it was theirs.
	Ours bool `json:"ours,omitempty"`
	// Gone is how many of it vanished in the newest day, by half days.
	Gone [3]int64 `json:"gone"`
}

// usual is how far a rule's value went on one weekday.
type usual struct {
	Max  float64 `json:"max"`
	Days int     `json:"days"`
	Last string  `json:"last"` // day it was last noted
}

// taught is what the owner said was theirs.
type taught struct {
	Value float64   `json:"value"`
	At    time.Time `json:"at"`
}

// taughtFor is how long an answer is believed.
const taughtFor = 400 * 24 * time.Hour

// fileSize is how many bytes a file takes as it is written: its name's hash and
// what is known.
const fileSize = 8 + 5*4 + 2*2 + 1

func decode(b []byte) (*state, error) {
	s := &state{files: map[uint64]file{}}
	if len(b) > 0 {
		if len(b) < 4 || len(b)-4 < int(binary.LittleEndian.Uint32(b)) {
			return nil, errors.New("read what was learned: cut short")
		}
		n := int(binary.LittleEndian.Uint32(b))
		if err := json.Unmarshal(b[4:4+n], &s.about); err != nil {
			return nil, fmt.Errorf("read what was learned: %w", err)
		}
		if s.Form != form {
			return nil, fmt.Errorf("read what was learned: form %d", s.Form)
		}
		if err := s.readFiles(b[4+n:]); err != nil {
			return nil, err
		}
	}
	s.Form = form
	if s.Counts == nil {
		s.Counts = map[string]int64{}
	}
	if s.High == nil {
		s.High = map[string][3]int64{}
	}
	if s.Usual == nil {
		s.Usual = map[string]*[7]usual{}
	}
	if s.Taught == nil {
		s.Taught = map[string]taught{}
	}
	return s, nil
}

func (s *state) readFiles(b []byte) error {
	if len(b)%fileSize != 0 {
		return errors.New("read what was learned: files cut short")
	}
	le := binary.LittleEndian
	s.files = make(map[uint64]file, len(b)/fileSize)
	for ; len(b) > 0; b = b[fileSize:] {
		f := file{
			stamp: le.Uint32(b[8:]), money: le.Uint32(b[12:]), at: le.Uint32(b[16:]), moneyAt: le.Uint32(b[20:]), seen: le.Uint32(b[24:]),
			day: le.Uint16(b[28:]), kind: le.Uint16(b[30:]), flags: b[32],
		}
		if int(f.kind) >= len(s.Kinds) {
			return fmt.Errorf("read what was learned: no kind %d", f.kind)
		}
		s.files[le.Uint64(b)] = f
	}
	return nil
}

func (s *state) encode() ([]byte, error) {
	doc, err := json.Marshal(s.about)
	if err != nil {
		return nil, fmt.Errorf("write what was learned: %w", err)
	}
	le := binary.LittleEndian
	out := make([]byte, 0, 4+len(doc)+len(s.files)*fileSize)
	out = append(le.AppendUint32(out, uint32(len(doc))), doc...)
	for name, f := range s.files {
		out = le.AppendUint64(out, name)
		for _, n := range []uint32{f.stamp, f.money, f.at, f.moneyAt, f.seen} {
			out = le.AppendUint32(out, n)
		}
		out = append(le.AppendUint16(le.AppendUint16(out, f.day), f.kind), f.flags)
	}
	return out, nil
}

// kind returns the index of an ending or kind of record. Of an attack that
// gives every file an ending of its own only the first few thousand are told
// apart.
func (s *state) kind(index map[string]uint16, name string, now uint32) uint16 {
	if i, ok := index[name]; ok {
		return i
	}
	if len(s.Kinds) >= 4096 {
		name = ""
		if i, ok := index[name]; ok {
			return i
		}
	}
	i := uint16(len(s.Kinds))
	s.Kinds = append(s.Kinds, kindAbout{Name: name, Since: now})
	index[name] = i
	return i
}

// halfDays moves what is kept by half days on to now.
func (s *state) halfDays(now time.Time) {
	at := now.Unix() / (12 * 3600)
	steps := min(max(at-s.HighAt, 0), 3)
	if at < s.HighAt {
		steps = 3 // the clock went back: nothing is known of today
	}
	for range steps {
		for k, v := range s.High {
			s.High[k] = [3]int64{0, v[0], v[1]}
		}
		for i := range s.Kinds {
			g := s.Kinds[i].Gone
			s.Kinds[i].Gone = [3]int64{0, g[0], g[1]}
		}
	}
	s.HighAt = at
}

func sum(n [3]int64) int64 { return n[0] + n[1] + n[2] }

// day returns the minute from which on changes are added up: a day ago, or the
// owner's last answer.
func (s *state) day(now uint32) uint32 {
	return max(s.From, now-min(now, 24*60))
}

// note remembers how far a rule's value went on an ordinary day.
func (s *state) note(key string, value float64, now time.Time) {
	if value <= 0 {
		return
	}
	u := s.Usual[key]
	if u == nil {
		u = &[7]usual{}
		s.Usual[key] = u
	}
	d := &u[now.Local().Weekday()]
	if today := now.Local().Format(time.DateOnly); d.Last != today {
		d.Last, d.Days, d.Max = today, d.Days+1, d.Max*0.9
	}
	d.Max = max(d.Max, value)
}

// bound returns the value from which on a rule is broken: the rule's own, or
// more where weekdays like this one went further, or the owner said so.
func (s *state) bound(key string, rule float64, now time.Time) float64 {
	out := rule
	if u := s.Usual[key]; u != nil {
		d, days := u[now.Local().Weekday()], 0
		for _, other := range u {
			days += other.Days
			if d.Days < 2 { // a day that is not known yet is like the others
				d.Max = max(d.Max, other.Max)
			}
		}
		if days >= 3 {
			out = max(out, 1.2*d.Max)
		}
	}
	if t, ok := s.Taught[key]; ok && now.Sub(t.At).Abs() < taughtFor {
		out = max(out, 1.1*t.Value)
	}
	return out
}
