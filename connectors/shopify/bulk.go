package shopify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// States of a bulk operation.
const (
	bulkCompleted = "COMPLETED"
	bulkCreated   = "CREATED"
	bulkRunning   = "RUNNING"
	bulkFailed    = "FAILED"
	bulkExpired   = "EXPIRED"
)

const (
	firstPoll   = 500 * time.Millisecond
	slowestPoll = 10 * time.Second
	// soonestStart is when a beginning that was refused is first tried again.
	soonestStart = 2 * time.Second

	bulkWait   = 6 * time.Hour // for a free place among the shop's operations, of which most are ours
	bulkStarts = 3
)

// bulkState is a bulk operation as the shop tells of it.
type bulkState struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	ErrorCode string    `json:"errorCode"`
	URL       string    `json:"url"`
	Partial   string    `json:"partialDataUrl"`
	Objects   string    `json:"objectCount"` // numbers of this size are texts
	FileSize  string    `json:"fileSize"`
	CreatedAt time.Time `json:"createdAt"`
	Query     string    `json:"query"`
}

// runBulk has the shop write the whole result of a query into a file, and
// fetches it. resume is the operation that a list which was cut off goes on
// with, or one begun ahead, "" for none; one that was begun since a time for the
// same query is taken over too. The id returned is that of the operation whose
// result it is.
func (c *client) runBulk(ctx context.Context, l library, text, resume string, since func() time.Time, dir string) (*spool, string, error) {
	id := resume
	if id == "" {
		op, err := c.runningBulk(ctx, l, text, since)
		if err != nil {
			return nil, "", err
		}
		if op != nil {
			id = op.ID
		}
	}
	for start := 1; ; start++ {
		if id == "" {
			var err error
			if id, err = c.startBulk(ctx, l, text); err != nil {
				return nil, "", err
			}
		}
		s, err := c.bulkResult(ctx, l, id, text, dir)
		if !errors.Is(err, errBulkAgain) || start >= bulkStarts {
			return s, id, c.bulkError(ctx, err)
		}
		id = ""
	}
}

// errBulkAgain says that an operation's result is not to be had, and that
// another may fare better.
var errBulkAgain = errors.New("the bulk operation came to nothing")

func (c *client) bulkError(ctx context.Context, err error) error {
	if errors.Is(err, errBulkAgain) && ctx.Err() == nil {
		return app.Errorf(app.CodeShopAnswer, "shopify: bulk operation", "%w", err)
	}
	return c.coded(ctx, err)
}

// runningBulk finds an operation for the same query that has not ended: one whose
// beginning the shop could not tell us of, or another computer's. One that was
// begun before since, nil for any time, tells of the shop as it was then, and is
// left alone. It returns nil when there is none.
func (c *client) runningBulk(ctx context.Context, l library, text string, since func() time.Time) (*bulkState, error) {
	recent, err := c.recentBulks(ctx, l)
	return runningAmong(recent, text, since), err
}

// recentBulks are the bulk operations that the shop was given last.
func (c *client) recentBulks(ctx context.Context, l library) ([]bulkState, error) {
	var got struct {
		Operations struct {
			Nodes []bulkState `json:"nodes"`
		} `json:"bulkOperations"`
	}
	err := c.run(ctx, l["bulk_recent"], nil, &got)
	return got.Operations.Nodes, err
}

// runningAmong is runningBulk among some.
func runningAmong(recent []bulkState, text string, since func() time.Time) *bulkState {
	var from time.Time
	if since != nil {
		from = since()
	}
	for _, op := range recent {
		if alike(op.Query, text) && !op.CreatedAt.Before(from) && (op.Status == bulkCreated || op.Status == bulkRunning) {
			return &op
		}
	}
	return nil
}

// alike reports whether two queries are the same, but for how they are spaced.
func alike(a, b string) bool { return slices.Equal(strings.Fields(a), strings.Fields(b)) }

func (c *client) startBulk(ctx context.Context, l library, text string) (string, error) {
	return c.placed(ctx, func() (*bulkState, []userError, error) { return c.tryBulk(ctx, l, text) })
}

// placed begins an operation, and waits for a free place where the shop runs as
// many as it can: the sooner looked for, the less of the time it is empty.
func (c *client) placed(ctx context.Context, try func() (*bulkState, []userError, error)) (id string, err error) {
	for waited := time.Duration(0); ; {
		op, said, err := try()
		if err != nil {
			return "", err
		}
		if op != nil {
			return op.ID, nil
		}
		if len(said) == 0 || !full(said[0].Code) || waited >= bulkWait {
			return "", app.Errorf(app.CodeShopAnswer, "shopify: start bulk operation", "%w", userErrors(said))
		}
		pause := min(max(waited/4, soonestStart), slowestPoll)
		waited += pause
		if err := c.meter.sleep(ctx, pause); err != nil {
			return "", c.coded(ctx, err)
		}
	}
}

// tryBulk begins a bulk operation. Without one the shop said why not.
func (c *client) tryBulk(ctx context.Context, l library, text string) (op *bulkState, said []userError, err error) {
	var got struct {
		Run struct {
			Operation  *bulkState  `json:"bulkOperation"`
			UserErrors []userError `json:"userErrors"`
		} `json:"bulkOperationRunQuery"`
	}
	if err := c.run(ctx, l["bulk"], map[string]any{"query": text}, &got); err != nil {
		return nil, nil, err
	}
	if len(got.Run.UserErrors) == 0 {
		op = got.Run.Operation
	}
	return op, got.Run.UserErrors, nil
}

// full reports whether a code means that the shop runs as many operations as
// it can.
func full(code string) bool { return code == "LIMIT_REACHED" || code == "OPERATION_IN_PROGRESS" }

// bulkResult waits for an operation to end and fetches what it wrote. A result
// that is only a part, or another query's, is never taken.
func (c *client) bulkResult(ctx context.Context, l library, id, text, dir string) (*spool, error) {
	for waited := time.Duration(0); ; {
		var got struct {
			Operation *bulkState `json:"bulkOperation"`
		}
		if err := c.run(ctx, l["bulk_state"], map[string]any{"id": id}, &got); err != nil {
			return nil, err
		}
		op := got.Operation
		switch {
		case op == nil || op.Status == bulkExpired:
			return nil, fmt.Errorf("%w: its result is there no more", errBulkAgain)
		case !alike(op.Query, text):
			return nil, fmt.Errorf("%w: it was for another query", errBulkAgain)
		case op.Status == bulkCompleted:
			return c.download(ctx, op, dir)
		case op.Status == bulkFailed && op.ErrorCode == codeDenied:
			return nil, c.failed(app.CodeShopScope, fmt.Errorf("bulk operation %s was denied access", id))
		case op.Status != bulkCreated && op.Status != bulkRunning:
			return nil, fmt.Errorf("%w: %s %s", errBulkAgain, op.Status, op.ErrorCode)
		}
		if err := c.betweenPolls(ctx, &waited); err != nil {
			return nil, err
		}
	}
}

// betweenPolls waits until an operation is looked at again: an eightieth of the
// time that it was waited for already, so that no more is lost than that.
func (c *client) betweenPolls(ctx context.Context, waited *time.Duration) error {
	pause := min(max(*waited/80, firstPoll), slowestPoll)
	*waited += pause
	return c.meter.sleep(ctx, pause)
}

// download fetches the file of an operation that completed, and holds it to
// what the shop says it wrote.
func (c *client) download(ctx context.Context, op *bulkState, dir string) (*spool, error) {
	objects, err := strconv.ParseInt(op.Objects, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: it wrote %q objects", errBulkAgain, op.Objects)
	}
	if op.URL == "" {
		if objects != 0 || op.Partial != "" {
			return nil, fmt.Errorf("%w: it wrote %d objects and tells no place", errBulkAgain, objects)
		}
		return &spool{}, nil
	}
	body, err := c.open(ctx, op.URL)
	if err != nil {
		return nil, err
	}
	s, err := newSpool(dir, body)
	if err = errors.Join(err, body.Close()); rest.Full(err) {
		return nil, errors.Join(err, s.close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", errBulkAgain, err), s.close())
	}
	if int64(len(s.lines)) != objects {
		return nil, errors.Join(fmt.Errorf("%w: %d objects of %d", errBulkAgain, len(s.lines), objects), s.close())
	}
	return s, nil
}

// open fetches a file from where the shop keeps files, without any key.
func (c *client) open(ctx context.Context, address string) (io.ReadCloser, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && c.cfg.base != u.Scheme+"://"+u.Host {
		return nil, app.Errorf(app.CodeShopAnswer, "shopify: fetch file", "%q is no safe address", address)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.files.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Join(app.Errorf(app.CodeShopAnswer, "shopify: fetch file", "status %d", resp.StatusCode), resp.Body.Close())
	}
	return resp.Body, nil
}

// userError is what a mutation says about its input.
type userError struct {
	Code    string   `json:"code"`
	Field   []string `json:"field"`
	Message string   `json:"message"`
}

// userErrors makes one error of what a mutation complained about, nil of
// nothing.
func userErrors(list []userError) error {
	var all []error
	for _, e := range list {
		all = append(all, fmt.Errorf("%s %v: %s", e.Code, e.Field, e.Message))
	}
	return errors.Join(all...)
}
