package storage

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/studio-b12/gowebdav"

	"kvart/app"
)

// methodLook asks for what a server knows of a file or folder.
const methodLook = "PROPFIND"

// maxListing bounds what one folder's listing may be.
const maxListing = 64 << 20

// davFiles are files on a WebDAV server, below the folder base.
type davFiles struct {
	base     *url.URL // without a slash at the end
	user     string
	password app.Secret
	client   *http.Client
	// unstored explains why a file can't be begun in a folder that is there.
	unstored func(error) error
}

func newDAV(base *url.URL, user string, password app.Secret, t http.RoundTripper) *davFiles {
	refused := func(err error) error { return app.Errorf(app.CodeStorageDenied, "write file", "%w", err) }
	return &davFiles{base: base, user: user, password: password, unstored: refused, client: &http.Client{
		Transport: t,
		// Following would turn an upload into a download that succeeds.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// davError is a server's refusal.
type davError struct {
	Method, Path string
	Status       int
	Location     string // of a redirection
	Away         bool   // it leads to another server
	Page         bool   // meant for a browser
}

func (e *davError) Error() string {
	text := fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
	if e.Location != "" {
		text += " to " + e.Location
	}
	return text
}

// Is gives some refusals the names Kopia knows.
func (e *davError) Is(target error) bool {
	switch target {
	case blob.ErrBlobNotFound:
		return e.Status == http.StatusNotFound && (e.Method == http.MethodGet || e.Method == methodLook)
	case blob.ErrInvalidRange:
		return e.Status == http.StatusRequestedRangeNotSatisfiable
	}
	return false
}

// davCut is an answer that ended too early.
type davCut struct{ error }

func (e davCut) Unwrap() error { return e.error }

// codeOfWebDAV knows the answers of WebDAV servers.
func codeOfWebDAV(err error) app.Code {
	var cut davCut
	if errors.As(err, &cut) {
		return app.CodeStorageOffline
	}
	var e *davError
	if !errors.As(err, &e) || e.Is(blob.ErrBlobNotFound) {
		return "" // a blob that is gone is damage, not a folder that is away
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusPaymentRequired, http.StatusRequestEntityTooLarge:
		return app.CodeStorageDenied
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		if e.Method != methodLook {
			return app.CodeStorageReadOnly
		}
		return app.CodeUsage // not a server of this kind
	case http.StatusNotFound, http.StatusConflict, http.StatusGone:
		return app.CodeStorageGone
	case http.StatusProxyAuthRequired:
		return app.CodeProxyAuth
	case http.StatusNetworkAuthenticationRequired:
		return app.CodePortal
	case http.StatusInsufficientStorage:
		return app.CodeStorageFull
	case http.StatusLocked, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return app.CodeStorageBusy
	}
	switch {
	case e.Away, e.Page:
		return app.CodePortal
	case e.Status >= 500:
		return app.CodeStorageOffline
	}
	return app.CodeUsage
}

// davRequest is one request to a server.
type davRequest struct {
	method, path string
	header       map[string]string
	body         func() io.ReadCloser // nil for none
	size         int64
	want         []int // what may be answered
}

// do makes a request. The body of the response is the caller's to close.
func (d *davFiles) do(ctx context.Context, r davRequest) (*http.Response, error) {
	resp, err := d.send(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusUnauthorized && strings.Contains(strings.ToLower(resp.Header.Get("Www-Authenticate")), "digest ") {
		drain(resp)
		digest, err := gowebdav.NewDigestAuth(d.user, d.password.Reveal(), resp)
		if err != nil {
			return nil, fmt.Errorf("log in: %w", err)
		}
		if resp, err = d.send(ctx, r, digest); err != nil {
			return nil, err
		}
	}
	if slices.Contains(r.want, resp.StatusCode) {
		return resp, nil
	}
	drain(resp)
	refusal := &davError{Method: r.method, Path: r.path, Status: resp.StatusCode, Page: isPage(resp)}
	if u, err := resp.Location(); err == nil {
		refusal.Location, refusal.Away = u.Scheme+"://"+u.Host+u.Path, u.Host != d.base.Host
	}
	return nil, refusal
}

func (d *davFiles) send(ctx context.Context, r davRequest, digest gowebdav.Authenticator) (*http.Response, error) {
	var body io.ReadCloser
	if r.body != nil && r.size > 0 {
		body = r.body()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, d.address(r.path), body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if req.ContentLength = r.size; r.size == 0 {
		req.Body = http.NoBody
	}
	req.Header.Set("Accept-Encoding", "identity") // what is stored doesn't compress
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	switch {
	case digest != nil:
		if err := digest.Authorize(d.client, req, req.URL.RequestURI()); err != nil {
			return nil, fmt.Errorf("log in: %w", err)
		}
	case d.user != "":
		req.SetBasicAuth(d.user, d.password.Reveal())
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask server: %w", err)
	}
	return resp, nil
}

// address is the whole address of a path, which for a folder ends in a slash.
func (d *davFiles) address(name string) string {
	u := *d.base
	u.Path += name
	return u.String()
}

// drain reads what is left of a small answer, so that its connection can be
// used again.
func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 16<<10)
	_ = resp.Body.Close()
}

// simple makes a request whose answer holds nothing of interest.
func (d *davFiles) simple(ctx context.Context, r davRequest) error {
	resp, err := d.do(ctx, r)
	if err != nil {
		return err
	}
	drain(resp)
	return nil
}

// davEntry is what a server tells of a file or folder.
type davEntry struct {
	name     string
	folder   bool
	size     int64
	modified time.Time
	free     int64
}

type davAnswer struct {
	Responses []struct {
		Href  string `xml:"DAV: href"`
		Stats []struct {
			Status string `xml:"DAV: status"`
			Prop   struct {
				Length   string    `xml:"DAV: getcontentlength"`
				Modified string    `xml:"DAV: getlastmodified"`
				Free     string    `xml:"DAV: quota-available-bytes"`
				Folder   *struct{} `xml:"DAV: resourcetype>collection"`
			} `xml:"DAV: prop"`
		} `xml:"DAV: propstat"`
	} `xml:"DAV: response"`
}

const davAsk = `<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/>%s</prop></propfind>`

// ask asks for the properties of a path, and of what lies in it if deep. The
// path itself comes first.
func (d *davFiles) ask(ctx context.Context, name, depth, more string) ([]davEntry, error) {
	question := fmt.Sprintf(davAsk, more)
	resp, err := d.do(ctx, davRequest{
		method: methodLook, path: name, size: int64(len(question)),
		body:   func() io.ReadCloser { return io.NopCloser(strings.NewReader(question)) },
		header: map[string]string{"Depth": depth, "Content-Type": "application/xml; charset=utf-8"},
		want:   []int{http.StatusMultiStatus},
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer davAnswer
	if err := xml.NewDecoder(io.LimitReader(resp.Body, maxListing)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read listing of %s: %w", name, davCut{err})
	}
	return answer.entries(name)
}

// entries are never fewer than the server named: one that can't be told from
// the answer is an error, since what a listing lacks would count as lost.
func (a davAnswer) entries(asked string) ([]davEntry, error) {
	var list []davEntry
	self, shortest := -1, 0
	for i, r := range a.Responses {
		u, err := url.Parse(strings.TrimSpace(r.Href))
		if err != nil {
			return nil, fmt.Errorf("listing of %s: %w", asked, err)
		}
		clean := path.Clean("/" + u.Path)
		if self < 0 || len(clean) < shortest {
			self, shortest = i, len(clean)
		}
		e := davEntry{name: path.Base(clean), free: -1}
		known := false
		for _, s := range r.Stats {
			if !strings.Contains(s.Status, " 200") {
				continue
			}
			known = true
			e.folder = e.folder || s.Prop.Folder != nil
			if n, err := strconv.ParseInt(strings.TrimSpace(s.Prop.Length), 10, 64); err == nil {
				e.size = n
			}
			if n, err := strconv.ParseInt(strings.TrimSpace(s.Prop.Free), 10, 64); err == nil && n >= 0 {
				e.free = n
			}
			if t, err := http.ParseTime(strings.TrimSpace(s.Prop.Modified)); err == nil {
				e.modified = t
			}
		}
		if !known || !e.folder && e.modified.IsZero() {
			return nil, fmt.Errorf("listing of %s: %s tells neither kind nor time", asked, clean)
		}
		list = append(list, e)
	}
	if self < 0 {
		return nil, fmt.Errorf("listing of %s is empty", asked)
	}
	list[0], list[self] = list[self], list[0]
	return list, nil
}

// look returns what is known of one path.
func (d *davFiles) look(ctx context.Context, name string) (davEntry, error) {
	list, err := d.ask(ctx, name, "0", "")
	if err != nil {
		return davEntry{}, err
	}
	return list[0], nil
}

// makeFolder makes one folder; that it is there is no error.
func (d *davFiles) makeFolder(ctx context.Context, name string) error {
	return d.simple(ctx, davRequest{
		method: "MKCOL", path: strings.TrimSuffix(name, "/") + "/", want: []int{http.StatusCreated, http.StatusMethodNotAllowed},
	})
}
