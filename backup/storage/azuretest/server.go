// Package azuretest is as much of Azure's blob storage as tests need that the
// emulator lacks: versions, and immutability for them, as the service documents
// them. It knows nothing of vaults.
package azuretest

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Account and Key are who may do everything in [Container]. With its domain the
// account makes an address of this computer.
const (
	Account   = "127"
	Key       = "a3ZhcnQga3ZhcnQga3ZhcnQ="
	Container = "kvart"
)

// Server is one container, in memory.
type Server struct {
	// Domain is what the account's name stands before.
	Domain string

	mu       sync.Mutex
	versions []*version
	last     time.Time
	behaves  Behaviour
}

// Behaviour is what a server does, and what it does wrong.
type Behaviour struct {
	NoVersions bool
	NoLocks    bool // the container was made without immutability
	Secretive  bool // the key may not see how the container was made
	Unlocks    bool // locks are of the kind that can be lifted
	Forgets    bool // what is locked is deleted all the same
	Refuse     string
	Status     int // of what is refused
	// Age is how old what is stored now pretends to be.
	Age time.Duration
}

type version struct {
	name, id string
	at       time.Time
	data     []byte
	meta     map[string]string
	current  bool
	marker   bool // says that the blob was deleted
	mode     string
	until    time.Time
}

func (v *version) locked() bool { return v.mode != "" && time.Now().Before(v.until) }

// Serve starts a server.
func Serve(t *testing.T) *Server {
	t.Helper()
	s := &Server{}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.Domain = strings.TrimPrefix(srv.URL, "http://127.")
	return s
}

// Behave changes what the server does.
func (s *Server) Behave(change func(b *Behaviour)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.behaves)
}

// Names lists the blobs that are to be seen.
func (s *Server) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, v := range s.versions {
		if v.current {
			names = append(names, v.name)
		}
	}
	return names
}

// Kept counts all versions, seen or not.
func (s *Server) Kept() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, v := range s.versions {
		if !v.marker {
			n++
		}
	}
	return n
}

// Hide deletes every blob so that only older versions are left, as somebody with
// the key can.
func (s *Server) Hide() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range slices.Clone(s.versions) {
		if v.current {
			s.hide(v)
		}
	}
}

func (s *Server) hide(v *version) {
	v.current = false
	id, _ := s.stamp()
	s.versions = append(s.versions, &version{name: v.name, id: id, at: v.at, marker: true})
}

// stamp returns a new version's id and time.
func (s *Server) stamp() (string, time.Time) {
	now := time.Now().Add(-s.behaves.Age).UTC()
	if !now.After(s.last) && s.behaves.Age == 0 {
		now = s.last.Add(100 * time.Nanosecond)
	}
	s.last = now
	return now.Format("2006-01-02T15:04:05.0000000Z"), now.Truncate(time.Second)
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	container, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	switch {
	case s.behaves.Refuse != "":
		fail(w, s.behaves.Status, s.behaves.Refuse)
	case container != Container:
		fail(w, http.StatusNotFound, "ContainerNotFound")
	case q.Get("restype") == "container" && q.Get("comp") == "list":
		s.list(w, q.Get("prefix"), strings.Contains(q.Get("include"), "versions"))
	case q.Get("restype") == "container":
		if s.behaves.Secretive {
			fail(w, http.StatusForbidden, "AuthorizationFailure")
			return
		}
		w.Header().Set("x-ms-immutable-storage-with-versioning-enabled", strconv.FormatBool(!s.behaves.NoLocks))
	case r.Method == http.MethodPut && q.Get("comp") == "":
		s.put(w, r, name)
	case r.Method == http.MethodPut && q.Get("comp") == "immutabilityPolicies":
		s.lock(w, r, s.find(name, q.Get("versionid")))
	case r.Method == http.MethodDelete && q.Get("comp") == "immutabilityPolicies":
		s.unlock(w, s.find(name, q.Get("versionid")))
	case r.Method == http.MethodDelete:
		s.remove(w, s.find(name, q.Get("versionid")), q.Has("versionid"))
	default:
		s.get(w, r, s.find(name, q.Get("versionid")))
	}
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("x-ms-error-code", code)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
}

func (s *Server) find(name, id string) *version {
	for _, v := range s.versions {
		if v.name == name && !v.marker && (id == "" && v.current || id != "" && v.id == id) {
			return v
		}
	}
	return nil
}

func (s *Server) put(w http.ResponseWriter, r *http.Request, name string) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, http.StatusBadRequest, "InvalidInput")
		return
	}
	v := &version{name: name, data: data, current: true, mode: r.Header.Get("x-ms-immutability-policy-mode"), meta: map[string]string{}}
	if v.mode != "" && s.behaves.NoLocks {
		fail(w, http.StatusConflict, "FeatureVersionMismatch")
		return
	}
	if v.until, err = http.ParseTime(r.Header.Get("x-ms-immutability-policy-until-date")); v.mode != "" && err != nil {
		fail(w, http.StatusBadRequest, "InvalidHeaderValue")
		return
	}
	if s.behaves.Unlocks && v.mode != "" {
		v.mode = "Unlocked"
	}
	for k := range r.Header {
		if key, ok := strings.CutPrefix(k, "X-Ms-Meta-"); ok {
			v.meta[strings.ToLower(key)] = r.Header.Get(k)
		}
	}
	if old := s.find(name, ""); old != nil {
		old.current = false
		if s.behaves.NoVersions {
			s.drop(old)
		}
	}
	s.versions = slices.DeleteFunc(s.versions, func(o *version) bool { return o.marker && o.name == name })
	v.id, v.at = s.stamp()
	if s.behaves.Age > 0 {
		v.until = v.until.Add(-s.behaves.Age)
	}
	s.versions = append(s.versions, v)
	if !s.behaves.NoVersions {
		w.Header().Set("x-ms-version-id", v.id)
	}
	s.describe(w, v)
	w.WriteHeader(http.StatusCreated)
}

func (s *Server) describe(w http.ResponseWriter, v *version) {
	w.Header().Set("ETag", `"`+v.id+`"`)
	w.Header().Set("Last-Modified", v.at.Format(http.TimeFormat))
}

func (s *Server) drop(v *version) {
	s.versions = slices.DeleteFunc(s.versions, func(o *version) bool { return o == v })
}

func (s *Server) lock(w http.ResponseWriter, r *http.Request, v *version) {
	until, err := http.ParseTime(r.Header.Get("x-ms-immutability-policy-until-date"))
	switch {
	case v == nil:
		fail(w, http.StatusNotFound, "BlobNotFound")
	case err != nil || v.mode == "Locked" && until.Before(v.until):
		fail(w, http.StatusConflict, "BlobImmutableDueToPolicy")
	default:
		v.until = until
	}
}

func (s *Server) unlock(w http.ResponseWriter, v *version) {
	switch {
	case v == nil:
		fail(w, http.StatusNotFound, "BlobNotFound")
	case v.mode == "Locked" && v.locked():
		fail(w, http.StatusConflict, "ImmutabilityPolicyDeleteOnLockedPolicy")
	default:
		v.mode = ""
	}
}

func (s *Server) remove(w http.ResponseWriter, v *version, exactly bool) {
	switch {
	case v == nil:
		fail(w, http.StatusNotFound, "BlobNotFound")
		return
	case v.locked() && !s.behaves.Forgets:
		fail(w, http.StatusConflict, "BlobImmutableDueToPolicy")
		return
	case exactly || s.behaves.NoVersions:
		s.drop(v)
	default:
		s.hide(v)
	}
	w.WriteHeader(http.StatusAccepted)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, v *version) {
	if v == nil {
		fail(w, http.StatusNotFound, "BlobNotFound")
		return
	}
	for k, value := range v.meta {
		w.Header().Set("x-ms-meta-"+k, value)
	}
	if span := r.Header.Get("x-ms-range"); span != "" {
		r.Header.Set("Range", span)
	}
	s.describe(w, v)
	http.ServeContent(w, r, "", v.at, strings.NewReader(string(v.data)))
}

type item struct {
	Name             string
	VersionID        string `xml:"VersionId,omitempty"`
	IsCurrentVersion bool   `xml:",omitempty"`
	HasVersionsOnly  bool   `xml:",omitempty"`
	Properties       struct {
		LastModified  string `xml:"Last-Modified"`
		ContentLength int    `xml:"Content-Length"`
	}
	Metadata struct {
		Inner string `xml:",innerxml"`
	}
}

func (s *Server) list(w http.ResponseWriter, prefix string, all bool) {
	var res struct {
		XMLName xml.Name `xml:"EnumerationResults"`
		Blobs   struct{ Blob []item }
		Next    string `xml:"NextMarker"`
	}
	sorted := slices.Clone(s.versions)
	slices.SortStableFunc(sorted, func(a, b *version) int { return strings.Compare(a.name+"\x00"+a.id, b.name+"\x00"+b.id) })
	for _, v := range sorted {
		if !strings.HasPrefix(v.name, prefix) || !all && !v.current {
			continue
		}
		i := item{Name: v.name, IsCurrentVersion: v.current, HasVersionsOnly: v.marker}
		if !s.behaves.NoVersions && all {
			i.VersionID = v.id
		}
		i.Properties.LastModified, i.Properties.ContentLength = v.at.Format(http.TimeFormat), len(v.data)
		for k, value := range v.meta {
			i.Metadata.Inner += "<" + k + ">" + value + "</" + k + ">"
		}
		res.Blobs.Blob = append(res.Blobs.Blob, i)
	}
	w.Header().Set("Content-Type", "application/xml")
	if err := xml.NewEncoder(w).Encode(res); err != nil {
		panic(err)
	}
}
