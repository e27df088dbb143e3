// Package s3test is as much of an S3 server as Kvart's tests need: one bucket in
// memory, with versions and object lock when asked for, and every fault a test
// can think of. It knows nothing of storages or vaults.
package s3test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bucket is the name of the one bucket there is.
const Bucket = "bucket"

// Server is the server. Its fields are set before it is used; the rest goes
// through its methods.
type Server struct {
	// Versions keeps what is overwritten and deleted, Locking refuses to delete
	// versions under retention.
	Versions, Locking bool
	// Bypass lets a governance lock be lifted, LockCode is how a lock refuses.
	Bypass   bool
	LockCode string
	// Now is the server's clock.
	Now func() time.Time

	mu      sync.Mutex
	objects map[string][]version // newest first
	serial  int
	gets    int
	hook    func(w http.ResponseWriter, r *http.Request) bool
}

// version is one version of an object.
type version struct {
	id     string
	data   []byte
	stored time.Time
	marker bool
	mode   string
	until  time.Time
}

// Intercept lets f answer requests first; it returns true for those it did. Nil
// takes it away.
func (s *Server) Intercept(f func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = f
}

// Refuse answers every request with an error code, until it is called with "".
func (s *Server) Refuse(code string) {
	if code == "" {
		s.Intercept(nil)
		return
	}
	s.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		Fail(w, http.StatusForbidden, code, "no")
		return true
	})
}

// Gets returns how many objects were read.
func (s *Server) Gets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gets
}

// Visible returns the names of what a listing shows.
func (s *Server) Visible() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visible()
}

// Kept returns how many versions of an object there are, without delete
// markers.
func (s *Server) Kept(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, v := range s.objects[key] {
		if !v.marker {
			n++
		}
	}
	return n
}

// Change lets f change the bytes of every visible object in place.
func (s *Server) Change(f func(key string, data []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.visible() {
		f(key, s.objects[key][0].data)
	}
}

// Put stores an object as a client would.
func (s *Server) Put(key string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(key, version{data: data})
}

// DeleteAll deletes everything that is visible, as a client would that knows
// nothing of versions.
func (s *Server) DeleteAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.visible() {
		s.hide(key)
	}
}

// Fail answers with an S3 error.
func Fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	hook := s.hook
	s.mu.Unlock()
	if hook != nil && hook(w, r) {
		return
	}
	var data []byte
	if r.Method == http.MethodPut {
		var err error
		if data, err = body(r); err != nil {
			Fail(w, http.StatusBadRequest, "IncompleteBody", err.Error())
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case bucket != Bucket:
		Fail(w, http.StatusNotFound, "NoSuchBucket", "no such bucket")
	case key == "":
		s.serveBucket(w, r)
	default:
		s.serveObject(w, r, key, data)
	}
}

func (s *Server) serveObject(w http.ResponseWriter, r *http.Request, key string, data []byte) {
	id := r.URL.Query().Get("versionId")
	switch {
	case r.Method == http.MethodPut && r.URL.Query().Has("retention"):
		s.serveRetention(w, key, data)
	case r.Method == http.MethodPut:
		v, err := s.locked(r, version{data: data})
		if err != nil {
			Fail(w, http.StatusBadRequest, "InvalidRequest", err.Error())
			return
		}
		v = s.put(key, v)
		w.Header().Set("ETag", etag(data))
		if s.Versions {
			w.Header().Set("x-amz-version-id", v.id)
		}
	case r.Method == http.MethodDelete:
		s.serveDelete(w, r, key, id)
	default:
		v, ok := s.find(key, id)
		if !ok {
			Fail(w, http.StatusNotFound, "NoSuchKey", "no such key")
			return
		}
		s.gets++
		w.Header().Set("ETag", etag(v.data))
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", v.stored, bytes.NewReader(v.data))
	}
}

func (s *Server) serveDelete(w http.ResponseWriter, r *http.Request, key, id string) {
	defer func() {
		if len(s.objects[key]) == 0 {
			delete(s.objects, key)
		}
	}()
	if id == "" {
		s.hide(key)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	i := slices.IndexFunc(s.objects[key], func(v version) bool { return v.id == id })
	if i >= 0 {
		v := s.objects[key][i]
		lifts := v.mode == "GOVERNANCE" && s.Bypass && r.Header.Get("x-amz-bypass-governance-retention") == "true"
		if v.until.After(s.now()) && !lifts {
			s.refuseDelete(w)
			return
		}
		s.objects[key] = slices.Delete(s.objects[key], i, i+1)
	}
	w.WriteHeader(http.StatusNoContent)
}

// refuseDelete refuses as MinIO does, or as most others do.
func (s *Server) refuseDelete(w http.ResponseWriter) {
	if s.LockCode == "InvalidRequest" {
		Fail(w, http.StatusBadRequest, s.LockCode, "Object is WORM protected and cannot be overwritten")
		return
	}
	Fail(w, http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock.")
}

// locked adds the retention a request asks for.
func (s *Server) locked(r *http.Request, v version) (version, error) {
	v.mode = r.Header.Get("x-amz-object-lock-mode")
	if v.mode == "" {
		return v, nil
	}
	if !s.Locking {
		return v, fmt.Errorf("bucket is missing Object Lock Configuration")
	}
	if r.Header.Get("Content-Md5") == "" {
		return v, fmt.Errorf("Content-MD5 is required with object lock") //nolint:staticcheck // what S3 says
	}
	var err error
	v.until, err = time.Parse(time.RFC3339, r.Header.Get("x-amz-object-lock-retain-until-date"))
	return v, err
}

// find returns a version, the visible one where no id is given.
func (s *Server) find(key, id string) (version, bool) {
	for i, v := range s.objects[key] {
		if v.id == id && id != "" || id == "" && i == 0 {
			return v, !v.marker
		}
	}
	return version{}, false
}

func (s *Server) put(key string, v version) version {
	if s.objects == nil {
		s.objects = map[string][]version{}
	}
	s.serial++
	v.stored = s.now()
	v.id = "null"
	if !s.Versions {
		s.objects[key] = []version{v}
		return v
	}
	v.id = "v" + strconv.Itoa(s.serial)
	s.objects[key] = slices.Insert(s.objects[key], 0, v)
	return v
}

// hide deletes as a request without a version does.
func (s *Server) hide(key string) {
	if !s.Versions {
		delete(s.objects, key)
		return
	}
	s.put(key, version{marker: true})
}

func (s *Server) visible() []string {
	var keys []string
	for key, versions := range s.objects {
		if len(versions) > 0 && !versions[0].marker {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func etag(b []byte) string {
	h := md5.Sum(b) //nolint:gosec // what S3 does
	return `"` + hex.EncodeToString(h[:]) + `"`
}

// body undoes the chunks that sign an upload without encryption on the way.
func body(r *http.Request) ([]byte, error) {
	all, err := io.ReadAll(r.Body)
	if err != nil || !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return all, err
	}
	out := []byte{}
	for {
		line, rest, ok := bytes.Cut(all, []byte("\r\n"))
		if !ok {
			return nil, io.ErrUnexpectedEOF
		}
		size, _, _ := strings.Cut(string(line), ";")
		n, err := strconv.ParseInt(size, 16, 64)
		if err != nil {
			return nil, fmt.Errorf("chunk size: %w", err)
		}
		if n == 0 {
			return out, nil
		}
		if int64(len(rest)) < n+2 {
			return nil, io.ErrUnexpectedEOF
		}
		out, all = append(out, rest[:n]...), rest[n+2:]
	}
}
