package ipc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"kvart/app"
)

// Client is an [app.Service] whose work the guard does.
type Client struct {
	http  *http.Client
	build string
}

var _ app.Service = (*Client)(nil)

// Dial returns a client for the guard at a socket. It connects on first use.
func Dial(socket, build string) *Client {
	return &Client{build: build, http: &http.Client{Transport: &http.Transport{
		ReadBufferSize: pieceBytes,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return Connect(ctx, socket)
		},
	}}}
}

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Hello asks the guard what it is, whatever its version.
func (c *Client) Hello(ctx context.Context) (Hello, error) {
	res, err := c.send(ctx, http.MethodGet, "hello", nil)
	if err != nil {
		return Hello{}, err
	}
	return decode[Hello](res)
}

// Quit asks the guard to end, whatever its version.
func (c *Client) Quit(ctx context.Context) error {
	res, err := c.send(ctx, http.MethodPost, "quit", nil)
	if err != nil {
		return err
	}
	_, err = decode[none](res)
	return err
}

func (c *Client) send(ctx context.Context, method, path string, req any) (*http.Response, error) {
	var body io.Reader
	if req != nil {
		b, err := pack(req)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://kvart/v1/"+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set(headerBuild, c.build)
	r.Header.Set(headerProtocol, strconv.Itoa(protocol))
	res, err := c.http.Do(r)
	if err != nil {
		return nil, offline(ctx, path, err)
	}
	if res.StatusCode == http.StatusNotFound {
		return nil, errors.Join(app.Errorf(app.CodeGuardVersion, path, "the guard does not know it"), res.Body.Close())
	}
	return res, nil
}

// offline says that the guard did not answer, or that the caller gave up.
func offline(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return app.Errorf(app.CodeCanceled, op, "%w", err)
	}
	return app.Errorf(app.CodeGuardOffline, op, "%w", err)
}

func decode[T any](res *http.Response) (v T, err error) {
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	return next[T](res.Request.Context(), json.NewDecoder(res.Body))
}

// next reads one answer.
func next[T any](ctx context.Context, d *json.Decoder) (v T, err error) {
	var a answer
	if err := d.Decode(&a); err != nil {
		return v, offline(ctx, "read answer", err)
	}
	if a.Error != nil {
		return v, a.Error
	}
	if err := json.Unmarshal(a.Value, &v); err != nil {
		return v, app.Errorf(app.CodeGuardVersion, "read answer", "%w", err)
	}
	return v, nil
}

// ask calls a method with an answer. A request that bears secrets is passed by
// pointer.
func ask[T any](ctx context.Context, c *Client, method string, req any) (v T, err error) {
	res, err := c.send(ctx, http.MethodPost, method, req)
	if err != nil {
		return v, err
	}
	return decode[T](res)
}

func tell(ctx context.Context, c *Client, method string, req any) error {
	_, err := ask[none](ctx, c, method, req)
	return err
}

// Status implements [app.StatusService].
func (c *Client) Status(ctx context.Context) (app.Status, error) {
	return ask[app.Status](ctx, c, "status", none{})
}

// Watch implements [app.StatusService].
func (c *Client) Watch(ctx context.Context, fn func(app.Status) error) (err error) {
	res, err := c.send(ctx, http.MethodPost, "watch", none{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	for d := json.NewDecoder(res.Body); ; {
		st, err := next[app.Status](ctx, d)
		if err != nil {
			return err
		}
		if err := fn(st); err != nil {
			return err
		}
	}
}

// Forms implements [app.VaultService].
func (c *Client) Forms(ctx context.Context) (app.Forms, error) {
	return ask[app.Forms](ctx, c, "forms", none{})
}

// ProbeStorage implements [app.VaultService].
func (c *Client) ProbeStorage(ctx context.Context, s app.StorageSpec) (app.StorageReport, error) {
	return ask[app.StorageReport](ctx, c, "probe-storage", &s)
}

// CreateVault implements [app.VaultService].
func (c *Client) CreateVault(ctx context.Context, r app.VaultRequest) (app.VaultInfo, error) {
	return ask[app.VaultInfo](ctx, c, "create-vault", &r)
}

// OpenVault implements [app.VaultService].
func (c *Client) OpenVault(ctx context.Context, r app.VaultRequest) (app.VaultInfo, error) {
	return ask[app.VaultInfo](ctx, c, "open-vault", &r)
}

// StartVerify implements [app.VaultService].
func (c *Client) StartVerify(ctx context.Context, r app.VerifyRequest) (app.JobID, error) {
	return ask[app.JobID](ctx, c, "start-verify", r)
}

// StartMaintain implements [app.VaultService].
func (c *Client) StartMaintain(ctx context.Context) (app.JobID, error) {
	return ask[app.JobID](ctx, c, "start-maintain", none{})
}

// MakeKit implements [app.KitService].
func (c *Client) MakeKit(ctx context.Context, r app.KitRequest) (app.KitState, error) {
	return ask[app.KitState](ctx, c, "make-kit", r)
}

// ConfirmKit implements [app.KitService].
func (c *Client) ConfirmKit(ctx context.Context, code string) (app.KitState, error) {
	return ask[app.KitState](ctx, c, "confirm-kit", code)
}

// Invite implements [app.KitService].
func (c *Client) Invite(ctx context.Context, path string) (app.Invitation, error) {
	return ask[app.Invitation](ctx, c, "invite", path)
}

// StartCheck implements [app.CareService].
func (c *Client) StartCheck(ctx context.Context) (app.JobID, error) {
	return ask[app.JobID](ctx, c, "start-check", none{})
}

// StartRepair implements [app.CareService].
func (c *Client) StartRepair(ctx context.Context) (app.JobID, error) {
	return ask[app.JobID](ctx, c, "start-repair", none{})
}

// ProveLock implements [app.CareService].
func (c *Client) ProveLock(ctx context.Context) (app.LockProof, error) {
	return ask[app.LockProof](ctx, c, "prove-lock", none{})
}

// AddCopy implements [app.CareService].
func (c *Client) AddCopy(ctx context.Context, r app.CopyRequest) (app.CopyStatus, error) {
	return ask[app.CopyStatus](ctx, c, "add-copy", &r)
}

// RemoveCopy implements [app.CareService].
func (c *Client) RemoveCopy(ctx context.Context, name string) error {
	return tell(ctx, c, "remove-copy", name)
}

// StartCopy implements [app.CareService].
func (c *Client) StartCopy(ctx context.Context, names []string) (app.JobID, error) {
	return ask[app.JobID](ctx, c, "start-copy", names)
}

// ChangePassphrase implements [app.CareService].
func (c *Client) ChangePassphrase(ctx context.Context, r app.PassphraseRequest) error {
	return tell(ctx, c, "change-passphrase", &r)
}

// Computers implements [app.CareService].
func (c *Client) Computers(ctx context.Context) ([]app.Computer, error) {
	return ask[[]app.Computer](ctx, c, "computers", none{})
}

// Rewind implements [app.CareService].
func (c *Client) Rewind(ctx context.Context) error { return tell(ctx, c, "rewind", none{}) }

// StepIn implements [app.CareService].
func (c *Client) StepIn(ctx context.Context) error { return tell(ctx, c, "step-in", none{}) }

// ChangeSource implements [app.SourceService].
func (c *Client) ChangeSource(ctx context.Context, r app.ChangeSourceRequest) (app.Source, error) {
	return ask[app.Source](ctx, c, "change-source", &r)
}

// Discover implements [app.SourceService].
func (c *Client) Discover(ctx context.Context) ([]app.Found, error) {
	return ask[[]app.Found](ctx, c, "discover", none{})
}

// AddSource implements [app.SourceService].
func (c *Client) AddSource(ctx context.Context, r app.AddSourceRequest) (app.Source, error) {
	return ask[app.Source](ctx, c, "add-source", &r)
}

// RemoveSource implements [app.SourceService].
func (c *Client) RemoveSource(ctx context.Context, nameOrID string) error {
	return tell(ctx, c, "remove-source", nameOrID)
}

// TrySource implements [app.SourceService].
func (c *Client) TrySource(ctx context.Context, r app.AddSourceRequest) (app.SourceInfo, error) {
	return ask[app.SourceInfo](ctx, c, "try-source", &r)
}

// CheckSource implements [app.SourceService].
func (c *Client) CheckSource(ctx context.Context, nameOrID string) (app.SourceInfo, error) {
	return ask[app.SourceInfo](ctx, c, "check-source", nameOrID)
}

// Rights implements [app.SourceService].
func (c *Client) Rights(ctx context.Context, r app.RightsRequest) (app.Rights, error) {
	return ask[app.Rights](ctx, c, "rights", &r)
}

// Approval implements [app.SourceService].
func (c *Client) Approval(ctx context.Context, r app.ApprovalRequest) (app.Approval, error) {
	return ask[app.Approval](ctx, c, "approval", r)
}

// StartBackup implements [app.JobService].
func (c *Client) StartBackup(ctx context.Context, sources []string) (app.JobID, error) {
	return ask[app.JobID](ctx, c, "start-backup", sources)
}

// StartDrill implements [app.JobService].
func (c *Client) StartDrill(ctx context.Context, sources []string) (app.JobID, error) {
	return ask[app.JobID](ctx, c, "start-drill", sources)
}

// Wait implements [app.JobService].
func (c *Client) Wait(ctx context.Context, id app.JobID) (app.Job, error) {
	return ask[app.Job](ctx, c, "wait", id)
}

// Cancel implements [app.JobService].
func (c *Client) Cancel(ctx context.Context, id app.JobID) error { return tell(ctx, c, "cancel", id) }

// Pause implements [app.JobService].
func (c *Client) Pause(ctx context.Context, until time.Time) error {
	return tell(ctx, c, "pause", until)
}

// Points implements [app.HistoryService].
func (c *Client) Points(ctx context.Context, r app.PointsRequest) ([]app.Point, error) {
	return ask[[]app.Point](ctx, c, "points", r)
}

// Day implements [app.HistoryService].
func (c *Client) Day(ctx context.Context, r app.DayRequest) ([]app.Quarter, error) {
	return ask[[]app.Quarter](ctx, c, "day", r)
}

// List implements [app.HistoryService].
func (c *Client) List(ctx context.Context, r app.PathRequest) ([]app.Entry, error) {
	return ask[[]app.Entry](ctx, c, "list", r)
}

// Cat implements [app.HistoryService].
func (c *Client) Cat(ctx context.Context, r app.PathRequest) (io.ReadCloser, error) {
	return c.stream(ctx, "cat", r)
}

// stream asks for what comes as bytes.
func (c *Client) stream(ctx context.Context, method string, r any) (io.ReadCloser, error) {
	res, err := c.send(ctx, http.MethodPost, method, r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		_, err := decode[none](res)
		return nil, err
	}
	return res.Body, nil
}

// Export implements [app.HistoryService].
func (c *Client) Export(ctx context.Context, r app.ExportRequest) (io.ReadCloser, error) {
	return c.stream(ctx, "export", r)
}

// Diff implements [app.HistoryService].
func (c *Client) Diff(ctx context.Context, r app.DiffRequest) ([]app.Change, error) {
	return ask[[]app.Change](ctx, c, "diff", r)
}

// PlanRestore implements [app.RestoreService].
func (c *Client) PlanRestore(ctx context.Context, r app.RestoreRequest) (app.RestorePlan, error) {
	return ask[app.RestorePlan](ctx, c, "plan-restore", r)
}

// StartRestore implements [app.RestoreService].
func (c *Client) StartRestore(ctx context.Context, r app.RestoreRequest) (app.JobID, error) {
	return ask[app.JobID](ctx, c, "start-restore", r)
}

// StartUndo implements [app.RestoreService].
func (c *Client) StartUndo(ctx context.Context, id app.RestoreID) (app.JobID, error) {
	return ask[app.JobID](ctx, c, "start-undo", id)
}

// Restores implements [app.RestoreService].
func (c *Client) Restores(ctx context.Context) ([]app.RestoreRecord, error) {
	return ask[[]app.RestoreRecord](ctx, c, "restores", none{})
}

// Settings implements [app.SettingsService].
func (c *Client) Settings(ctx context.Context) (app.Settings, error) {
	return ask[app.Settings](ctx, c, "settings", none{})
}

// SetSettings implements [app.SettingsService].
func (c *Client) SetSettings(ctx context.Context, s app.Settings) error {
	return tell(ctx, c, "set-settings", s)
}
