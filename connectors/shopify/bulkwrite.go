package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"kvart/app"
)

// mostVariables is how large a file of variables may be: Shopify takes 100 MB.
const mostVariables = 90 << 20

// many is what a bulk operation is given for a mutation: edges in place of nodes,
// and of its connections only the first, since it takes no more than one.
func many(d document) string {
	taken := false
	var thin func(list []*selection) []*selection
	thin = func(list []*selection) (out []*selection) {
		for _, s := range list {
			c := *s
			if n := s.nodes(); n != nil {
				if taken {
					continue
				}
				taken = true
				c.sel = []*selection{{name: "edges", sel: []*selection{{name: "node", sel: n.sel}}}, pageInfo()}
			} else {
				c.sel = thin(s.sel)
			}
			out = append(out, &c)
		}
		return out
	}
	d.root = thin(d.root)
	return d.String()
}

// fillTogether carries out orders of one mutation by bulk operations, as many as
// its files need, and notes what became of each. An order that the shop refused
// is refused alone. Of one whose line is not in the result nobody knows whether
// it was carried out.
func (s *shop) fillTogether(ctx context.Context, name string, orders []*posted) {
	for len(orders) > 0 {
		file, n, err := variables(orders)
		if err == nil {
			err = s.bulkWrite(ctx, name, file, orders[:n])
		}
		for _, o := range orders[:n] {
			if o.answer == nil && o.err == nil {
				if err == nil {
					err = app.Errorf(app.CodeShopAnswer, "shopify: bulk operation", "%s: a line of the result is missing", name)
				}
				o.err = err
			}
		}
		if err != nil { // the next would fare no better
			for _, o := range orders[n:] {
				o.err = err
			}
			return
		}
		orders = orders[n:]
	}
}

// variables writes the variables of orders, one line each, until the file is
// full; n is how many are in it, one at least.
func variables(orders []*posted) (file []byte, n int, err error) {
	var b bytes.Buffer
	for _, o := range orders {
		line, err := json.Marshal(o.vars)
		if err != nil {
			return nil, len(orders), app.Errorf(app.CodeInternal, "shopify: write", "%s: %w", o.name, err)
		}
		if n > 0 && b.Len()+len(line) >= mostVariables {
			break
		}
		b.Write(append(line, '\n'))
		n++
	}
	return b.Bytes(), n, nil
}

// bulkWrite has one bulk operation carry out orders, and waits for it.
func (s *shop) bulkWrite(ctx context.Context, name string, file []byte, orders []*posted) (err error) {
	at, err := s.stage(ctx, file)
	if err != nil {
		return err
	}
	id, err := s.c.startBulkWrite(ctx, s.l, many(s.l[name]), at)
	if err != nil {
		return err
	}
	op, err := s.c.bulkEnd(ctx, s.l, id)
	if err != nil {
		return err
	}
	address := op.URL
	if op.Status != bulkCompleted {
		address = op.Partial // what was carried out is in it
		err = app.Errorf(app.CodeShopAnswer, "shopify: bulk operation", "%s %s", op.Status, op.ErrorCode)
	}
	if address == "" {
		return err
	}
	return errors.Join(err, s.readLines(ctx, name, address, orders))
}

// stage puts a file of variables where the shop reads it, and returns the path
// to name.
func (s *shop) stage(ctx context.Context, file []byte) (string, error) {
	const name = "variables.jsonl"
	answer, err := s.mutate(ctx, "staged_upload", map[string]any{"input": []any{map[string]any{
		"filename": name, "mimeType": "text/jsonl", "resource": "BULK_MUTATION_VARIABLES", "httpMethod": "POST", "fileSize": strconv.Itoa(len(file)),
	}}})
	if err != nil {
		return "", err
	}
	targets := listOf(answer["stagedTargets"])
	if len(targets) != 1 {
		return "", app.Errorf(app.CodeShopAnswer, "shopify: upload", "%d places for one file", len(targets))
	}
	for _, p := range listOf(targets[0]["parameters"]) {
		if p["name"] == "key" {
			return fmt.Sprint(p["value"]), s.post(ctx, targets[0], name, file)
		}
	}
	return "", app.Errorf(app.CodeShopAnswer, "shopify: upload", "a place without a path")
}

// startBulkWrite begins a bulk mutation.
func (c *client) startBulkWrite(ctx context.Context, l library, mutation, path string) (string, error) {
	return c.placed(ctx, func() (op *bulkState, said []userError, err error) {
		var got struct {
			Run struct {
				Operation  *bulkState  `json:"bulkOperation"`
				UserErrors []userError `json:"userErrors"`
			} `json:"bulkOperationRunMutation"`
		}
		if err := c.run(ctx, l["bulk_write"], map[string]any{"mutation": mutation, "path": path}, &got); err != nil {
			return nil, nil, err
		}
		if len(got.Run.UserErrors) == 0 {
			op = got.Run.Operation
		}
		return op, got.Run.UserErrors, nil
	})
}

// bulkEnd waits until an operation has ended, however it did.
func (c *client) bulkEnd(ctx context.Context, l library, id string) (*bulkState, error) {
	for waited := time.Duration(0); ; {
		var got struct {
			Operation *bulkState `json:"bulkOperation"`
		}
		if err := c.run(ctx, l["bulk_state"], map[string]any{"id": id}, &got); err != nil {
			return nil, err
		}
		if got.Operation == nil {
			return nil, app.Errorf(app.CodeShopAnswer, "shopify: bulk operation", "%s is there no more", id)
		}
		if !goesOn(got.Operation.Status) {
			return got.Operation, nil
		}
		if err := c.betweenPolls(ctx, &waited); err != nil {
			return nil, c.coded(ctx, err)
		}
	}
}

func goesOn(status string) bool {
	return status == bulkCreated || status == bulkRunning || status == "CANCELING"
}

// lineResult is one line of a bulk mutation's result.
type lineResult struct {
	Data   map[string]any `json:"data"`
	Errors []complaint    `json:"errors"`
	Line   *int           `json:"__lineNumber"`
}

// readLines fetches a result and gives each order its line of it.
func (s *shop) readLines(ctx context.Context, name, address string, orders []*posted) error {
	body, err := s.c.open(ctx, address)
	if err != nil {
		return err
	}
	sp, err := newSpool(s.p.o.Temp, body)
	if err = errors.Join(err, body.Close()); err != nil {
		return errors.Join(err, sp.close())
	}
	for i := range sp.lines {
		var r lineResult
		if err := sp.decode(i, &r); err != nil {
			return errors.Join(err, sp.close())
		}
		if r.Line == nil || *r.Line < 0 || *r.Line >= len(orders) {
			return errors.Join(app.Errorf(app.CodeShopAnswer, "shopify: read result", "line %d of it is of none that was sent", i+1), sp.close())
		}
		o := orders[*r.Line]
		if len(r.Errors) > 0 {
			o.err = s.c.coded(ctx, &refusal{operation: name, list: r.Errors})
			continue
		}
		withNodes(r.Data)
		o.answer = r.Data
	}
	return sp.close()
}

// withNodes turns edges back to nodes, below v.
func withNodes(v any) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			withNodes(e)
		}
	case map[string]any:
		if edges, ok := x["edges"].([]any); ok {
			nodes := make([]any, 0, len(edges))
			for _, e := range edges {
				m, _ := e.(map[string]any)
				nodes = append(nodes, m["node"])
			}
			delete(x, "edges")
			x["nodes"] = nodes
		}
		for _, e := range x {
			withNodes(e)
		}
	}
}

// Settle implements [rest.Settler]: a bulk mutation goes on when nobody waits for
// it any more.
func (s *shop) Settle(ctx context.Context) error {
	var got struct {
		Operations struct {
			Nodes []bulkState `json:"nodes"`
		} `json:"bulkOperations"`
	}
	if err := s.c.run(ctx, s.l["bulk_writing"], nil, &got); err != nil {
		return err
	}
	for _, op := range got.Operations.Nodes {
		if !goesOn(op.Status) {
			continue
		}
		s.log.InfoContext(ctx, "Waiting for what an earlier restore began", "operation", op.ID)
		if _, err := s.c.bulkEnd(ctx, s.l, op.ID); err != nil {
			return s.c.coded(ctx, err)
		}
	}
	return nil
}
