// Package woo is a WooCommerce shop for tests: a server that answers as the
// recorded responses of WooCommerce 11 do, with its rules for paging, trash,
// batches and refusals, and with faults to switch on. It knows nothing of what
// asks it.
package woo

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Credentials the shop takes.
const (
	User      = "kvart"
	Password  = "abcd EFGH ijkl MNOP qrst UVWX" // of an application
	Key       = "ck_read_write"
	Secret    = "cs_read_write"
	ReadKey   = "ck_read"
	ReadSign  = "cs_read"
	shopTitle = "Testbutiken"
)

// Record is one record, as JSON decodes it.
type Record = map[string]any

// Shop is the shop. Its fields are set before the first request, or under Do.
type Shop struct {
	URL string

	// Now is the shop's clock.
	Now func() time.Time
	// Old is a WooCommerce without /variations and /refunds, which passes over
	// modified_after.
	Old bool
	// Plain is a shop without pretty addresses.
	Plain bool
	// Fault looks at each request and may answer it in the shop's place.
	Fault func(w http.ResponseWriter, r *http.Request) (answered bool)
	// Tamper may change the answer to a request before it is sent.
	Tamper func(r *http.Request, status int, h http.Header, body []byte) []byte
	// NoPasswords is a WordPress that takes no passwords of applications.
	NoPasswords bool
	// Admin is the folder that WordPress lies in, "/wp", where that is not the
	// site's own.
	Admin string
	// Denied are the beginnings of paths below /wp-json that the user may not
	// read.
	Denied []string

	mu       sync.Mutex
	kinds    map[string]*table
	nextID   int64
	requests []string
	mails    int
	files    map[string][]byte
	below    map[int64][]int64 // variations by product, with some that are gone
}

// table is the records of one kind.
type table struct {
	rows  map[int64]Record
	order []int64 // rising
}

// New starts a shop that answers until the test ends.
func New(t testing.TB) *Shop {
	t.Helper()
	s := newShop()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s
}

// NewTLS starts one that is encrypted; client trusts it.
func NewTLS(t testing.TB) (s *Shop, client *http.Client) {
	t.Helper()
	s = newShop()
	srv := httptest.NewTLSServer(s)
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s, srv.Client()
}

// Start returns a shop that is to be served by somebody else, who sets its URL.
func Start() *Shop { return newShop() }

func newShop() *Shop {
	s := &Shop{Now: time.Now, kinds: map[string]*table{}, nextID: 10, files: map[string][]byte{}, below: map[int64][]int64{}}
	for name := range resources() {
		s.kinds[name] = &table{rows: map[int64]Record{}}
	}
	s.furnish()
	return s
}

// Do runs fn while no request is answered.
func (s *Shop) Do(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

// Requests returns what was asked since the last call, "GET wc/v3/orders?…".
func (s *Shop) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.requests
	s.requests = nil
	return out
}

// Mails is how many e-mails the shop has sent to customers.
func (s *Shop) Mails() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

// Add puts a record into a kind, with the fields given over the usual ones, and
// returns its id. Nothing is checked and no mail sent.
func (s *Shop) Add(kind string, fields Record) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(kind, fields)
}

func (s *Shop) add(kind string, fields Record) int64 {
	id, ok := fields["id"].(int)
	if !ok {
		s.nextID++
		id = int(s.nextID)
	}
	s.nextID = max(s.nextID, int64(id))
	r := s.template(kind)
	maps.Copy(r, fields)
	r["id"] = float64(id)
	t := s.kinds[kind]
	t.rows[int64(id)] = r
	at, _ := slices.BinarySearch(t.order, int64(id))
	t.order = slices.Insert(t.order, at, int64(id))
	if kind == "variations" {
		s.below[num(r["parent_id"])] = append(s.below[num(r["parent_id"])], int64(id))
	}
	return int64(id)
}

// Change changes fields of a record the way the shop's own pages do: its date
// of change moves.
func (s *Shop) Change(kind string, id int64, fields Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.kinds[kind].rows[id]
	maps.Copy(r, fields)
	s.touch(kind, r)
}

// Purge deletes records for good.
func (s *Shop) Purge(kind string, ids ...int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.purge(kind, id)
	}
}

// Trash puts a record into the trash.
func (s *Shop) Trash(kind string, id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trash(kind, id)
}

// Get returns a copy of a record, nil when there is none.
func (s *Shop) Get(kind string, id int64) Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.kinds[kind].rows[id])
}

// IDs lists the ids of a kind, with those in the trash.
func (s *Shop) IDs(kind string) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kinds[kind].order)
}

// AddFile serves a file below /wp-content/uploads/ and returns its address.
func (s *Shop) AddFile(name string, content []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[name] = content
	return s.URL + "/wp-content/uploads/" + name
}

// RemoveFile stops serving it.
func (s *Shop) RemoveFile(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, name)
}

func (s *Shop) purge(kind string, id int64) {
	t := s.kinds[kind]
	if t.rows[id] == nil {
		return
	}
	delete(t.rows, id)
	if at, ok := slices.BinarySearch(t.order, id); ok {
		t.order = slices.Delete(t.order, at, at+1)
	}
	switch kind {
	case "products":
		for _, v := range slices.Clone(s.kinds["variations"].order) {
			if num(s.kinds["variations"].rows[v]["parent_id"]) == id {
				s.purge("variations", v)
			}
		}
	case "categories", "tags":
		// WordPress takes the relation away, and moves no date
		for _, p := range s.kinds["products"].rows {
			list, _ := p[kind].([]any)
			p[kind] = slices.DeleteFunc(slices.Clone(list), func(c any) bool { return num(c.(Record)["id"]) == id })
		}
		for _, c := range t.rows {
			if num(c["parent"]) == id {
				c["parent"] = 0.0
			}
		}
	}
}

func (s *Shop) trash(kind string, id int64) {
	r := s.kinds[kind].rows[id]
	if r == nil || r["status"] == "trash" {
		return
	}
	r["_was"] = r["status"]
	r["status"] = "trash"
	if slug, ok := r["slug"].(string); ok && slug != "" {
		r["slug"] = slug + "__trashed"
	}
	s.touch(kind, r)
	if kind == "products" {
		for _, v := range s.kinds["variations"].order {
			if num(s.kinds["variations"].rows[v]["parent_id"]) == id {
				s.trash("variations", v)
			}
		}
	}
}

func (s *Shop) touch(kind string, r Record) {
	now := s.Now().UTC().Format("2006-01-02T15:04:05")
	for _, f := range []string{"date_modified", "date_modified_gmt", "modified", "modified_gmt"} {
		if _, ok := r[f]; ok {
			r[f] = now
		}
	}
	if kind == "variations" {
		if p := s.kinds["products"].rows[num(r["parent_id"])]; p != nil {
			s.touch("products", p)
		}
	}
}

// num reads a number as JSON or a test has it.
func num(v any) int64 {
	switch x := v.(type) {
	case float64:
		return int64(x)
	case int:
		return int64(x)
	case int64:
		return x
	case string:
		var n int64
		for _, c := range strings.TrimSpace(x) {
			if c < '0' || c > '9' {
				return 0
			}
			n = n*10 + int64(c-'0')
		}
		return n
	}
	return 0
}
