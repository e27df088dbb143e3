package webhotel

import (
	"context"
	"io"
	"io/fs"
	"time"

	"kvart/app"
)

// entry is one thing a listing found.
type entry struct {
	path  string // below the site's folder, slash-separated; of a list its name alone
	size  int64
	mtime time.Time
	mode  fs.FileMode
	link  string
	grain time.Duration // what mtime is exact to; 0 when there is none
	// slack is how far the clock that mtime is of may be from ours.
	slack time.Duration
	shift time.Duration // mtime is ahead of the world's time by that, known from the server
	id    string        // of a folder, where the server tells one
	// err says why it can't be read: a folder that is closed to this user, or a
	// line of a listing nobody understands.
	err *app.Error
}

func (e entry) regular() bool { return e.mode.IsRegular() && e.err == nil }

// unsettled reports whether the entry could have been written to again after
// now and look the same.
func (e entry) unsettled(now time.Time) bool {
	age := now.Sub(e.mtime.Add(-e.shift))
	return age > -e.slack && age < e.slack+e.grain
}

// sameTime compares times as exactly as both are known.
func (e entry) sameTime(o entry) bool {
	grain := max(e.grain, o.grain, time.Second)
	return e.mtime.Truncate(grain).Equal(o.mtime.Truncate(grain))
}

// stream is a file being read. It has to be closed, and says at its end whether
// all of it came.
type stream = io.ReadCloser

// place is a folder somewhere: on a server, or on this computer. Paths are
// below it; "" is the folder itself.
type place interface {
	// list returns everything in a folder, or an error; never a part.
	list(ctx context.Context, dir string) ([]entry, error)
	// stat looks at a file.
	stat(ctx context.Context, p string) (entry, error)
	open(ctx context.Context, e entry, from int64) (stream, error)
}

// workshop is a place that can be written to.
type workshop interface {
	// write writes a file nobody else is to read yet, anew.
	write(ctx context.Context, p string, r io.Reader) error
	// rename replaces what is there.
	rename(ctx context.Context, from, to string) error
	remove(ctx context.Context, p string, dir bool) error
	mkdir(ctx context.Context, p string) error
	symlink(ctx context.Context, to, p string) error
	// settle sets mode and time of a file or folder.
	settle(ctx context.Context, e entry, p string) error
}

// link is a connection to a place. What it can't do at all it answers with
// [errCannot].
type link interface {
	place
	workshop
	// free tells how much room there is; negative when it doesn't tell.
	free(ctx context.Context) int64
	// broken reports that it is of no use any more.
	broken() bool
	Close()
}
