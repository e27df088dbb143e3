package storage

import (
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

func TestRewound(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	version := func(id string, minutes int, marker bool) minio.ObjectInfo {
		return minio.ObjectInfo{Key: "p1", VersionID: id, LastModified: at.Add(time.Duration(minutes) * time.Minute), IsDeleteMarker: marker}
	}
	for name, tt := range map[string]struct {
		versions []minio.ObjectInfo // newest first
		markers  int
		older    string
	}{
		"untouched":                   {[]minio.ObjectInfo{version("a", -5, false)}, 0, ""},
		"stored at that very moment":  {[]minio.ObjectInfo{version("a", 0, false)}, 0, ""},
		"deleted since":               {[]minio.ObjectInfo{version("d", 5, true), version("a", -5, false)}, 1, ""},
		"deleted twice since":         {[]minio.ObjectInfo{version("e", 6, true), version("d", 5, true), version("a", -5, false)}, 2, ""},
		"written over since":          {[]minio.ObjectInfo{version("b", 5, false), version("a", -5, false)}, 0, "a"},
		"written over, then deleted":  {[]minio.ObjectInfo{version("d", 6, true), version("b", 5, false), version("a", -5, false)}, 0, "a"},
		"deleted before":              {[]minio.ObjectInfo{version("d", -1, true), version("a", -5, false)}, 0, ""},
		"deleted before, then anew":   {[]minio.ObjectInfo{version("b", 3, false), version("d", -1, true), version("a", -5, false)}, 0, ""},
		"new since":                   {[]minio.ObjectInfo{version("a", 5, false)}, 0, ""},
		"new since and deleted again": {[]minio.ObjectInfo{version("d", 6, true), version("a", 5, false)}, 0, ""},
	} {
		markers, older := rewound(tt.versions, at)
		id := ""
		if older != nil {
			id = older.VersionID
		}
		if len(markers) != tt.markers || id != tt.older {
			t.Errorf("%s: %d markers, version %q; want %d, %q", name, len(markers), id, tt.markers, tt.older)
		}
	}
}
