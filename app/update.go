package app

import (
	"context"
	"time"
)

// UpdateService looks for newer versions of Kvart, where the owner or whoever
// packed Kvart said that there is a feed. Without one nobody is ever asked.
type UpdateService interface {
	// Updates tells what is known. It asks nobody.
	Updates(ctx context.Context) (UpdateStatus, error)
	// SetUpdates says where to look. The feed is fetched and its signature
	// proven before anything is kept; an empty one ends looking.
	SetUpdates(ctx context.Context, s UpdateSettings) (UpdateStatus, error)
	// CheckUpdate asks the feed now; it takes up to half a minute.
	CheckUpdate(ctx context.Context) (UpdateStatus, error)
	// StartUpdate fetches the newer version into the data folder and proves it;
	// what is there of it already is not fetched again. It gives way to every
	// other job and to an open incident, and installs nothing.
	StartUpdate(ctx context.Context) (JobID, error)
}

// UpdateSettings say where newer versions are told of.
type UpdateSettings struct {
	// Feed is its address: https, or http to this very computer. "" asks nobody.
	Feed string `json:"feed"`
	// Key is the Ed25519 public key that the feed is signed with, in base64.
	Key string `json:"key"`
}

// UpdateStatus is what is known of newer versions.
type UpdateStatus struct {
	Settings UpdateSettings `json:"settings"`
	Version  string         `json:"version"` // the one that runs
	Checked  time.Time      `json:"checked"` // when the feed answered last; zero for never
	// Newer is the newest version, where it is newer than this one.
	Newer *Release `json:"newer,omitempty"`
	// Path is where it lies, fetched and proven; "" while it does not.
	Path  string `json:"path,omitempty"`
	Error *Error `json:"error,omitempty"` // of the last look
}

// Release is a version that a feed tells of.
type Release struct {
	Version string            `json:"version"`
	Serial  int64             `json:"serial"` // grows with every feed
	Made    time.Time         `json:"made"`
	Notes   map[string]string `json:"notes,omitempty"` // what is new, by language
	File    ReleaseFile       `json:"file"`            // for this computer; empty where there is none
}

// ReleaseFile is a version as one system installs it.
type ReleaseFile struct {
	System string `json:"system"` // as Go calls it: "linux", "windows", "darwin"
	Arch   string `json:"arch"`   // likewise: "amd64"
	Kind   string `json:"kind"`   // how its name ends: "deb", "tar.xz", "exe", "dmg"
	Name   string `json:"name"`
	URL    string `json:"url"` // may be relative to the feed
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // in hex
}

// Updater asks feeds and fetches what they tell of.
type Updater interface {
	// Look returns the release of a feed whose signature holds. One with a
	// serial below seen is [CodeUpdateOld].
	Look(ctx context.Context, s UpdateSettings, seen int64) (Release, error)
	// Newer reports whether a version is newer than another.
	Newer(version, than string) bool
	// Fetch fetches a file into dir, which is made where it is not there, goes on
	// where an earlier one was cut off, and returns its path once what it holds
	// is proven. pause is called between pieces and may wait.
	Fetch(ctx context.Context, f ReleaseFile, dir string, p Progress, pause func(context.Context) error) (string, error)
	// Fetched returns where a file lies that was fetched whole, "" for nowhere. What
	// it holds is proven, anew whenever it was touched.
	Fetched(f ReleaseFile, dir string) string
}
