// Package shopify is a Shopify shop that lives in the memory of a test: it
// answers the Admin GraphQL API over HTTP with what was put into it, holds every
// operation to Shopify's own description of the API where that is at hand,
// enforces access scopes, prices and limits, runs bulk operations, and fails in
// every way that was asked for. It knows nothing of those who ask.
//
// Scopes and protected fields are those of access_2026-07.txt.gz: the lines
// "Type.field, scopes" of the introspection in @shopify/dev-mcp 1.16.0
// (admin_2026-07.json.gz, requiredAccess and isProtected; ISC licence).
package shopify

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Object is one thing in the shop, by the names of GraphQL fields. Other things
// are named by [Ref].
type Object map[string]any

// Ref names another object by its id.
type Ref string

// Shop is a shop. Its methods are safe for concurrent use.
type Shop struct {
	server *httptest.Server // nil where somebody else listens
	at     string           // address that it gives for itself
	schema *ast.Schema      // nil where the official one is not at hand
	reader *Reader
	access map[string]right

	mu      sync.Mutex
	objects map[string]Object   // by id
	byType  map[string][]string // ids in the order they were made
	serial  int64
	clock   func() time.Time
	roots   map[string]Object // single things: "shop"
	locales []any
	events  []Object
	texts   map[string][]Object // translations by resource and locale
	uploads map[string][]byte
	bulks   []*bulkOperation
	staged  map[string]string // what an upload is for, by its key
	pace    Pace
	done    map[string]Object // answers by idempotency key
	levels  map[string][]any  // of an inventory item
	variant map[string]string // of an inventory item

	scopes   map[string]bool
	clientID string
	secret   string
	token    string
	tokenEnd time.Time
	tokens   int

	bucket  bucket
	faults  []*Fault
	log     []Call
	version string
}

// Call is one request that reached the shop.
type Call struct {
	Operation string
	Kind      string  // "query", "mutation", "token", "file", "line" of a bulk mutation
	Cost      float64 // requested
	Actual    float64 // what it came to
	Variables map[string]any
}

// Options say what kind of shop it is.
type Options struct {
	// Reader holds operations to Shopify's description of the API; nil checks
	// nothing. Shops may share one.
	Reader *Reader
	// Now is the shop's clock; nil means the computer's.
	Now func() time.Time
	// Rate is how many points come back a second, and Bucket how many there
	// are; 0 means 100 and 2000, as the smallest plan has.
	Rate, Bucket float64
	// URL is the address the shop goes by where somebody else listens and hands
	// requests to [Shop.Handler]; "" has the shop listen itself.
	URL string
	// Pace is how long bulk operations take; zero has them end when they were
	// looked at twice.
	Pace Pace
}

// Pace is the speed of one bulk operation, by the shop's clock.
type Pace struct {
	Objects   float64 // a second that a query writes
	Mutations float64 // a second that a mutation carries out
}

// Start opens a shop. Stop it with [Shop.Close].
func Start(o Options) (*Shop, error) {
	rights, err := loadRights()
	if err != nil {
		return nil, err
	}
	s := &Shop{
		reader: o.Reader, access: rights, clock: o.Now, serial: 1000, version: "2026-07",
		objects: map[string]Object{}, byType: map[string][]string{}, roots: map[string]Object{},
		texts: map[string][]Object{}, uploads: map[string][]byte{}, done: map[string]Object{}, scopes: map[string]bool{},
		staged: map[string]string{}, pace: o.Pace, at: o.URL,
		levels: map[string][]any{}, variant: map[string]string{},
		clientID: "client", secret: "secret", token: "shpat_fake",
	}
	if s.reader == nil {
		s.reader = NewReader(nil)
	}
	s.schema = s.reader.schema
	if s.clock == nil {
		s.clock = time.Now
	}
	if o.Rate == 0 {
		o.Rate, o.Bucket = 100, 2000
	}
	s.bucket = bucket{max: o.Bucket, left: o.Bucket, rate: o.Rate, seen: s.clock()}
	s.furnish()
	if s.at == "" {
		s.server = httptest.NewServer(s.handler())
		s.at = s.server.URL
	}
	return s, nil
}

// Close shuts the shop.
func (s *Shop) Close() {
	if s.server != nil {
		s.server.Close()
	}
}

// Handler answers requests, for who listens in the shop's place.
func (s *Shop) Handler() http.Handler { return s.handler() }

// URL is where the shop answers.
func (s *Shop) URL() string { return s.at }

// Key returns a client id and secret, and a token, that open the shop.
func (s *Shop) Key() (clientID, secret, token string) { return s.clientID, s.secret, s.token }

// Grant gives the key exactly these scopes.
func (s *Shop) Grant(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scopes = map[string]bool{}
	for _, sc := range scopes {
		s.scopes[sc] = true
	}
}

// GrantAll gives the key every scope there is.
func (s *Shop) GrantAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.access {
		for _, sc := range r.any {
			s.scopes[sc] = true
		}
	}
	s.scopes["read_all_orders"] = true
	s.scopes["read_content"], s.scopes["write_content"] = true, true
}

// Revoke takes scopes away.
func (s *Shop) Revoke(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sc := range scopes {
		delete(s.scopes, sc)
		delete(s.scopes, "write_"+strings.TrimPrefix(sc, "read_"))
	}
}

// Serve makes the shop answer in another version of the API.
func (s *Shop) Serve(version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = version
}

// EndTokens makes every token given out so far worthless.
func (s *Shop) EndTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.tokenEnd = "shpat_other", time.Time{}
}

// Log returns the requests since the last [Shop.Forget].
func (s *Shop) Log() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// Forget empties the log.
func (s *Shop) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

// Add puts an object into the shop and returns its id. "__typename" must be
// set; id and times are given where they are missing.
func (s *Shop) Add(o Object) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addLocked(o)
}

func (s *Shop) addLocked(o Object) string {
	typ, _ := o["__typename"].(string)
	id, _ := o["id"].(string)
	if id == "" {
		s.serial++
		id = fmt.Sprintf("gid://shopify/%s/%d", typ, s.serial)
		o["id"] = id
	}
	now := s.now()
	for _, f := range []string{"createdAt", "updatedAt"} {
		if _, ok := o[f]; !ok {
			o[f] = now
		}
	}
	s.objects[id] = o
	s.byType[typ] = append(s.byType[typ], id)
	return id
}

// Get returns a copy of an object, nil when there is none.
func (s *Shop) Get(id string) Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.objects[id])
}

// All returns the objects of a type, by their ids in the order made.
func (s *Shop) All(typ string) []Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Object
	for _, id := range s.byType[typ] {
		out = append(out, maps.Clone(s.objects[id]))
	}
	return out
}

// Change sets fields of an object, as an owner does in the admin: its time
// moves.
func (s *Shop) Change(id string, fields Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.objects[id], fields)
	s.touchLocked(id)
}

// ChangeBy is [Shop.Change] with an event that tells who did it.
func (s *Shop) ChangeBy(id, author string, fields Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.objects[id], fields)
	s.touchLocked(id)
	s.eventLocked(id, "update", author)
}

// ChangeQuietly sets fields without moving the object's time.
func (s *Shop) ChangeQuietly(id string, fields Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.objects[id], fields)
}

// touchLocked moves an object's time, and that of the product it belongs to.
func (s *Shop) touchLocked(id string) {
	o := s.objects[id]
	if o == nil {
		return
	}
	o["updatedAt"] = s.now()
	if p, ok := o["product"].(Ref); ok {
		s.touchLocked(string(p))
	}
}

// SetStock sets what is available of a variant at a location.
func (s *Shop) SetStock(variant, location string, quantity int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stockLocked(s.itemOf(variant), location, "available", quantity)
}

// Delete takes an object away as somebody does in the admin: an event tells of
// it, and what belongs to it goes too.
func (s *Shop) Delete(id, author string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deleteLocked(id)
	s.eventLocked(id, "destroy", author)
}

// Lose takes an object away without any event.
func (s *Shop) Lose(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deleteLocked(id)
}

func (s *Shop) eventLocked(id, action, author string) {
	typ := typeOf(id)
	var subject strings.Builder
	for i, r := range typ {
		if i > 0 && r >= 'A' && r <= 'Z' {
			subject.WriteByte('_')
		}
		subject.WriteRune(r)
	}
	s.serial++
	s.events = append(s.events, Object{
		"__typename": "BasicEvent", "id": "gid://shopify/BasicEvent/" + strconv.FormatInt(s.serial, 10), "action": action, "createdAt": s.now(),
		"subjectId": id, "subjectType": strings.ToUpper(subject.String()), "author": author, "attributeToApp": false, "attributeToUser": true,
	})
}

// deleteLocked takes an object and all that names it as its owner.
func (s *Shop) deleteLocked(id string) {
	o := s.objects[id]
	if o == nil {
		return
	}
	delete(s.objects, id)
	typ, _ := o["__typename"].(string)
	s.byType[typ] = slices.DeleteFunc(s.byType[typ], func(x string) bool { return x == id })
	if typ == "Product" {
		for _, v := range refs(o["variants"]) {
			s.deleteLocked(v)
		}
		for _, c := range s.byType["Collection"] {
			s.objects[c]["products"] = without(refs(s.objects[c]["products"]), id)
		}
	}
}

func without(ids []string, id string) []any {
	var out []any
	for _, x := range ids {
		if x != id {
			out = append(out, Ref(x))
		}
	}
	return out
}

// refs lists the ids that a list names.
func refs(v any) (out []string) {
	list, _ := v.([]any)
	for _, e := range list {
		if r, ok := e.(Ref); ok {
			out = append(out, string(r))
		}
	}
	return out
}

func (s *Shop) now() string { return s.clock().UTC().Format(time.RFC3339) }

func typeOf(id string) string {
	rest, _ := strings.CutPrefix(id, "gid://shopify/")
	typ, _, _ := strings.Cut(rest, "/")
	return typ
}
