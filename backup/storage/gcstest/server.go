// Package gcstest is as much of Google's storage as tests need that the usual
// stand-in lacks: retention for objects, as the service documents it. It knows
// nothing of vaults.
package gcstest

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Bucket is the name of the one there is.
const Bucket = "kvart-test"

// Server is one bucket, in memory.
type Server struct {
	// Host is what STORAGE_EMULATOR_HOST has to be.
	Host string

	mu      sync.Mutex
	objects []*object
	last    int64
	behaves Behaviour
}

// Behaviour is what a server does, and what it does wrong.
type Behaviour struct {
	NoVersions bool
	NoLocks    bool // the bucket was made without retention for objects
	Secretive  bool // the key may not see how the bucket was made
	Unlocks    bool // locks are of the kind that can be lifted
	Forgets    bool // what is locked is deleted all the same
	Reason     string
	Message    string
	Status     int // when not 0, of every answer
	// Age is how old what is stored now pretends to be.
	Age time.Duration
}

type retention struct {
	Mode  string    `json:"mode"`
	Until time.Time `json:"retainUntilTime"`
}

type object struct {
	Name       string            `json:"name"`
	Bucket     string            `json:"bucket"`
	Generation int64             `json:"generation,string"`
	Size       int64             `json:"size,string"`
	Created    time.Time         `json:"timeCreated"`
	Updated    time.Time         `json:"updated"`
	Deleted    *time.Time        `json:"timeDeleted,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	Retention  *retention        `json:"retention,omitempty"`

	data []byte
}

func (o *object) locked() bool { return o.Retention != nil && time.Now().Before(o.Retention.Until) }

// Serve starts a server.
func Serve(t *testing.T) *Server {
	t.Helper()
	s := &Server{}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.Host = strings.TrimPrefix(srv.URL, "http://")
	return s
}

// Behave changes what the server does.
func (s *Server) Behave(change func(b *Behaviour)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.behaves)
}

// Names lists the objects that are to be seen.
func (s *Server) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, o := range s.objects {
		if o.Deleted == nil {
			names = append(names, o.Name)
		}
	}
	return names
}

// Kept counts all versions, seen or not.
func (s *Server) Kept() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.objects)
}

// Hide deletes every object so that only older versions are left, as somebody
// with the key can.
func (s *Server) Hide() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.objects {
		if o.Deleted == nil {
			now := time.Now().UTC()
			o.Deleted = &now
		}
	}
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, upload := strings.CutPrefix(r.URL.EscapedPath(), "/upload")
	path, api := strings.CutPrefix(path, "/storage/v1/b/")
	bucket, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	name, err := url.PathUnescape(strings.TrimPrefix(rest, "o/"))
	generation, _ := strconv.ParseInt(r.URL.Query().Get("generation"), 10, 64)
	switch {
	case err != nil:
		s.fail(w, http.StatusBadRequest, "invalid", err.Error())
	case s.behaves.Status != 0:
		s.fail(w, s.behaves.Status, s.behaves.Reason, s.behaves.Message)
	case bucket != Bucket:
		s.fail(w, http.StatusNotFound, "notFound", "The specified bucket does not exist.")
	case upload:
		s.put(w, r)
	case !api: // how objects are read
		if name, err = url.PathUnescape(rest); err != nil {
			panic(err)
		}
		s.read(w, r, s.find(name, generation))
	case rest == "":
		s.describe(w)
	case rest == "o":
		s.list(w, r.URL.Query().Get("prefix"), r.URL.Query().Get("versions") == "true")
	case r.Method == http.MethodDelete:
		s.remove(w, s.find(name, generation), generation != 0)
	case r.Method == http.MethodPatch:
		s.patch(w, r, s.find(name, generation))
	default:
		if o := s.find(name, generation); o != nil {
			s.answer(w, o)
			return
		}
		s.missing(w)
	}
}

func (s *Server) fail(w http.ResponseWriter, status int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%d,"message":%q,"errors":[{"reason":%q,"message":%q}]}}`, status, message, reason, message)
}

func (s *Server) missing(w http.ResponseWriter) {
	s.fail(w, http.StatusNotFound, "notFound", "No such object")
}

func (s *Server) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

func (s *Server) describe(w http.ResponseWriter) {
	if s.behaves.Secretive {
		s.fail(w, http.StatusForbidden, "forbidden", "kvart does not have storage.buckets.get access to the bucket.")
		return
	}
	b := map[string]any{"name": Bucket, "versioning": map[string]bool{"enabled": !s.behaves.NoVersions}}
	if !s.behaves.NoLocks {
		b["objectRetention"] = map[string]string{"mode": "Enabled"}
	}
	s.answer(w, b)
}

func (s *Server) find(name string, generation int64) *object {
	for _, o := range s.objects {
		if o.Name == name && (generation == 0 && o.Deleted == nil || generation == o.Generation) {
			return o
		}
	}
	return nil
}

func (s *Server) list(w http.ResponseWriter, prefix string, all bool) {
	items := []*object{}
	for _, o := range s.objects {
		if strings.HasPrefix(o.Name, prefix) && (all || o.Deleted == nil) {
			items = append(items, o)
		}
	}
	slices.SortStableFunc(items, func(a, b *object) int { return strings.Compare(a.Name, b.Name) })
	s.answer(w, map[string]any{"kind": "storage#objects", "items": items})
}

// put takes a multipart upload, which the library makes of all that fits into
// one of its chunks.
func (s *Server) put(w http.ResponseWriter, r *http.Request) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		s.fail(w, http.StatusNotImplemented, "notImplemented", "only multipart uploads")
		return
	}
	parts := multipart.NewReader(r.Body, params["boundary"])
	o := &object{}
	var read [2][]byte
	for i := range read {
		p, err := parts.NextPart()
		if err == nil {
			read[i], err = io.ReadAll(p)
		}
		if err != nil {
			s.fail(w, http.StatusBadRequest, "invalid", err.Error())
			return
		}
	}
	if err := json.Unmarshal(read[0], o); err != nil {
		s.fail(w, http.StatusBadRequest, "parseError", err.Error())
		return
	}
	old := s.find(o.Name, 0)
	switch {
	case o.Retention != nil && s.behaves.NoLocks:
		s.fail(w, http.StatusBadRequest, "invalid", "The bucket does not support object retention.")
		return
	case old != nil && s.behaves.NoVersions && old.locked():
		s.refuse(w)
		return
	case old != nil:
		s.bury(old)
	}
	if o.Retention != nil && s.behaves.Unlocks {
		o.Retention.Mode = "Unlocked"
	}
	now := time.Now().Add(-s.behaves.Age).UTC()
	if s.behaves.Age > 0 && o.Retention != nil {
		o.Retention.Until = o.Retention.Until.Add(-s.behaves.Age)
	}
	s.last = max(s.last+1, now.UnixMicro())
	o.Bucket, o.data, o.Size, o.Generation, o.Created, o.Updated = Bucket, read[1], int64(len(read[1])), s.last, now, now
	s.objects = append(s.objects, o)
	s.answer(w, o)
}

// bury takes an object out of sight, or away where no versions are kept.
func (s *Server) bury(o *object) {
	if s.behaves.NoVersions {
		s.objects = slices.DeleteFunc(s.objects, func(x *object) bool { return x == o })
		return
	}
	now := time.Now().UTC()
	o.Deleted = &now
}

func (s *Server) refuse(w http.ResponseWriter) {
	s.fail(w, http.StatusForbidden, "retentionPolicyNotMet", "The object is subject to object retention and cannot be deleted or overwritten")
}

func (s *Server) remove(w http.ResponseWriter, o *object, exactly bool) {
	switch {
	case o == nil:
		s.missing(w)
		return
	case o.locked() && !s.behaves.Forgets && (exactly || s.behaves.NoVersions):
		s.refuse(w)
		return
	case exactly:
		s.objects = slices.DeleteFunc(s.objects, func(x *object) bool { return x == o })
	default:
		s.bury(o)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) patch(w http.ResponseWriter, r *http.Request, o *object) {
	var change struct {
		Retention *retention `json:"retention"`
	}
	if err := json.NewDecoder(r.Body).Decode(&change); err != nil {
		s.fail(w, http.StatusBadRequest, "parseError", err.Error())
		return
	}
	lifts := change.Retention == nil || change.Retention.Until.IsZero() || o != nil && o.Retention != nil && change.Retention.Until.Before(o.Retention.Until)
	switch {
	case o == nil:
		s.missing(w)
	case lifts && o.locked() && o.Retention.Mode == "Locked":
		s.fail(w, http.StatusForbidden, "forbidden", "Its retention mode cannot be changed and its retention period cannot be shortened.")
	case lifts:
		o.Retention = nil
		s.answer(w, o)
	default:
		o.Retention = change.Retention
		s.answer(w, o)
	}
}

func (s *Server) read(w http.ResponseWriter, r *http.Request, o *object) {
	if o == nil {
		http.Error(w, "<Error><Code>NoSuchKey</Code></Error>", http.StatusNotFound)
		return
	}
	w.Header().Set("X-Goog-Generation", strconv.FormatInt(o.Generation, 10))
	w.Header().Set("X-Goog-Metageneration", "1")
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", o.Updated, strings.NewReader(string(o.data)))
}
