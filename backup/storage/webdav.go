package storage

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
)

func webdavSpec() app.KindSpec {
	return app.KindSpec{
		Kind:    "webdav",
		OffSite: true,
		Fields: []app.Field{
			{Key: "url", Type: app.FieldText, Required: true},
			{Key: "user", Type: app.FieldText},
			{Key: "password", Type: app.FieldSecret},
			{Key: "ca_file", Type: app.FieldFile, Advanced: true},
		},
	}
}

// readDAV reads an address and log-in from settings.
func readDAV(s app.StorageSpec) (*davFiles, error) {
	text := strings.TrimSpace(s.Settings["url"])
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil: // its text would show what was typed, perhaps a password
		return nil, badDAV("not an address")
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "", u.RawQuery != "", u.Fragment != "":
		return nil, badDAV("%s is no address of a folder", u.Redacted())
	case u.User != nil:
		return nil, badDAV("the user goes into a field of its own")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, app.Errorf(app.CodeStorageUnsafe, "open address", "%s without encryption on the way", u).With("field", "url")
	}
	base, err := restlessTransport(u.Hostname(), s.Settings["ca_file"])
	if err != nil {
		return nil, err
	}
	u.Path = strings.TrimSuffix(path.Clean("/"+u.Path), "/")
	u.RawPath = ""
	return newDAV(u, s.Settings["user"], s.Secrets["password"], base), nil
}

func badDAV(format string, args ...any) *app.Error {
	return app.Errorf(app.CodeUsage, "open address", format, args...).With("field", "url")
}

func openWebDAV(ctx context.Context, s app.StorageSpec, create bool) (*Location, error) {
	d, err := readDAV(s)
	if err != nil {
		return nil, err
	}
	quick, cancel := context.WithTimeout(ctx, quickCheck)
	defer cancel()
	if err := d.needFolder(quick, create); err != nil {
		if codeFor(err) == app.CodeUsage {
			err = badDAV("%w", err)
		}
		return nil, errors.Join(placed(ctx, "look at address", d.where(), err), d.Close())
	}
	return newServerBlobs(d, "/", d.where()).location(isOffSite(d.base.Hostname())), nil
}

// needFolder makes sure that the address is a folder. It makes at most the last
// folder of it, and only for a new vault.
func (d *davFiles) needFolder(ctx context.Context, create bool) error {
	self, err := d.look(ctx, "/")
	if errors.Is(err, blob.ErrBlobNotFound) && create {
		if err := d.makeFolder(ctx, "/"); err != nil {
			return app.Errorf(app.CodeStorageGone, "make folder", "%w", err).With("where", d.where())
		}
		return nil
	}
	switch {
	case errors.Is(err, blob.ErrBlobNotFound):
		return app.Errorf(app.CodeStorageGone, "open address", "%w", err).With("where", d.where())
	case err != nil:
		return fmt.Errorf("look at folder: %w", err)
	case !self.folder:
		return badDAV("%s is a file", d.where())
	}
	return nil
}

func (d *davFiles) where() string { return d.base.Host + d.base.Path }
