package s3test

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// stamp is how S3 writes times.
const stamp = "2006-01-02T15:04:05.000Z"

func (s *Server) serveBucket(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/xml")
	q := r.URL.Query()
	switch {
	case q.Has("location"):
		fmt.Fprint(w, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`)
	case q.Has("versioning"):
		status := ""
		if s.Versions {
			status = "<Status>Enabled</Status>"
		}
		fmt.Fprintf(w, "<VersioningConfiguration>%s</VersioningConfiguration>", status)
	case q.Has("object-lock") && !s.Locking:
		Fail(w, http.StatusNotFound, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	case q.Has("object-lock"):
		fmt.Fprint(w, "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>")
	case q.Has("versions"):
		s.listVersions(w, q.Get("prefix"))
	default:
		s.list(w, q.Get("prefix"), q.Get("delimiter"))
	}
}

func (s *Server) serveRetention(w http.ResponseWriter, key string, data []byte) {
	var asked struct {
		Mode            string
		RetainUntilDate time.Time
	}
	if err := xml.Unmarshal(data, &asked); err != nil {
		Fail(w, http.StatusBadRequest, "MalformedXML", err.Error())
		return
	}
	if _, ok := s.find(key, ""); !ok {
		Fail(w, http.StatusNotFound, "NoSuchKey", "no such key")
		return
	}
	v := &s.objects[key][0]
	v.mode, v.until = asked.Mode, asked.RetainUntilDate
}

type listResult struct {
	XMLName        xml.Name `xml:"ListBucketResult"`
	Contents       []listed
	IsTruncated    bool
	CommonPrefixes []struct{ Prefix string }
}

type listed struct {
	Key          string
	Size         int
	LastModified string
	ETag         string
}

func (s *Server) list(w http.ResponseWriter, prefix, delimiter string) {
	var res listResult
	for _, key := range s.visible() {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		if dir, _, deeper := strings.Cut(rest, "/"); deeper && delimiter == "/" {
			p := struct{ Prefix string }{prefix + dir + "/"}
			if !slices.Contains(res.CommonPrefixes, p) {
				res.CommonPrefixes = append(res.CommonPrefixes, p)
			}
			continue
		}
		v := s.objects[key][0]
		res.Contents = append(res.Contents, listed{key, len(v.data), v.stored.UTC().Format(stamp), etag(v.data)})
	}
	write(w, res)
}

type listedVersion struct {
	XMLName      xml.Name
	Key          string
	VersionId    string //nolint:staticcheck // S3's name
	IsLatest     bool
	LastModified string
	Size         int
	ETag         string
}

func (s *Server) listVersions(w http.ResponseWriter, prefix string) {
	var res struct {
		XMLName     xml.Name `xml:"ListVersionsResult"`
		IsTruncated bool
		Versions    []listedVersion
	}
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		for i, v := range s.objects[key] {
			kind := "Version"
			if v.marker {
				kind = "DeleteMarker"
			}
			res.Versions = append(res.Versions, listedVersion{
				XMLName: xml.Name{Local: kind}, Key: key, VersionId: v.id, IsLatest: i == 0,
				LastModified: v.stored.UTC().Format(stamp), Size: len(v.data), ETag: etag(v.data),
			})
		}
	}
	write(w, res)
}

// write encodes an answer. An error is a client that has gone.
func write(w http.ResponseWriter, res any) {
	if err := xml.NewEncoder(w).Encode(res); err != nil {
		panic(http.ErrAbortHandler)
	}
}
