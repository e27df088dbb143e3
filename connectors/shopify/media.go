package shopify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// productMedia are the files of a product as inputs take them.
type productMedia struct {
	inputs []any
	known  map[string]bool // ids that the shop has
}

// productFiles names those of a product's media that the shop has, and uploads
// the rest from the point.
func (s *shop) productFiles(ctx context.Context, op rest.Op) (productMedia, error) {
	out := productMedia{inputs: []any{}, known: map[string]bool{}}
	media := listOf(op.Record["media"])
	if len(media) == 0 {
		return out, nil
	}
	was := listOf(op.Full["media"])
	for i, m := range media {
		in := pick(m, "alt")
		if id, _ := m["id"].(string); s.hasPicture(id) {
			in["id"], out.known[id] = id, true
			out.inputs = append(out.inputs, in)
			continue
		}
		if len(was) != len(media) {
			return out, refuse("a picture is gone and can't be told from the others")
		}
		if err := s.newMedium(ctx, op, was[i], in); err != nil {
			return out, err
		}
		out.inputs = append(out.inputs, in)
	}
	return out, nil
}

// filesAsked is how many files are asked for at once.
const filesAsked = 100

// learnFiles asks which files of products that are to be written the shop has.
func (s *shop) learnFiles(ctx context.Context, ops []rest.Op) error {
	has, asked := map[string]bool{}, map[string]bool{}
	var ids []string
	for _, op := range ops {
		for _, m := range listOf(op.Record["media"]) {
			if id, _ := m["id"].(string); id != "" && !asked[id] && op.Do != rest.DoDelete {
				asked[id], ids = true, append(ids, id)
			}
		}
	}
	for chunk := range slices.Chunk(ids, filesAsked) {
		found, err := s.nodes(ctx, s.l["file_state"], chunk)
		if err != nil {
			return err
		}
		for id, m := range found {
			has[id] = m != nil
		}
	}
	s.mu.Lock()
	s.pictures = has
	s.mu.Unlock()
	return nil
}

func (s *shop) hasPicture(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pictures[id]
}

// newMedium uploads what a medium of the point shows.
func (s *shop) newMedium(ctx context.Context, op rest.Op, m, in map[string]any) error {
	typ, _ := m["__typename"].(string)
	in["contentType"] = contentType(typ)
	if typ == "ExternalVideo" {
		in["originalSource"] = m["originUrl"]
		return nil
	}
	address, _ := m["file"].(string)
	if op.Media == nil {
		return refuse("the point has no pictures")
	}
	// of records that are written together all would be at once, and each is held
	// in memory
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	case <-ctx.Done():
		return ctx.Err()
	}
	body, err := op.Media(address)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("the point has no %s", address)
	}
	if err != nil {
		return err
	}
	name := nameOf(address)
	in["originalSource"], err = s.uploadFile(ctx, typ, name, body)
	in["filename"] = name
	return errors.Join(err, body.Close())
}

// contentType is a type of file as inputs name it.
func contentType(typ string) string {
	switch typ {
	case "Video":
		return "VIDEO"
	case "ExternalVideo":
		return "EXTERNAL_VIDEO"
	case "Model3d":
		return "MODEL_3D"
	case "GenericFile":
		return "FILE"
	}
	return "IMAGE"
}

// nameOf is the name a file has in its address. The shop keeps it, so that links
// to it go on working, whatever number they end with.
func nameOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || path.Base(u.Path) == "/" || path.Base(u.Path) == "." {
		return "file"
	}
	return path.Base(u.Path)
}

// uploadFile puts a file where the shop fetches it, and returns the address to
// name.
func (s *shop) uploadFile(ctx context.Context, typ, name string, body io.Reader) (string, error) {
	content, err := io.ReadAll(body)
	if err != nil {
		return "", fmt.Errorf("read file of the point: %w", err)
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if kind == "" {
		kind = http.DetectContentType(content)
	}
	resource := contentType(typ)
	answer, err := s.mutate(ctx, "staged_upload", map[string]any{"input": []any{map[string]any{
		"filename": name, "mimeType": kind, "resource": resource, "httpMethod": "POST", "fileSize": strconv.Itoa(len(content)),
	}}})
	if err != nil {
		return "", err
	}
	targets := listOf(answer["stagedTargets"])
	if len(targets) != 1 {
		return "", app.Errorf(app.CodeShopAnswer, "shopify: upload", "%d places for one file", len(targets))
	}
	at, _ := targets[0]["resourceUrl"].(string)
	return at, s.post(ctx, targets[0], name, content)
}

// post sends a file to where the shop said, with the fields it said, and without
// any key.
func (s *shop) post(ctx context.Context, target map[string]any, name string, content []byte) (err error) {
	to, _ := target["url"].(string)
	if u, err := url.Parse(to); err != nil || u.Scheme != "https" && s.c.cfg.base != u.Scheme+"://"+u.Host {
		return app.Errorf(app.CodeShopAnswer, "shopify: upload", "%q is no safe address", to)
	}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for _, p := range listOf(target["parameters"]) {
		if err := w.WriteField(fmt.Sprint(p["name"]), fmt.Sprint(p["value"])); err != nil {
			return err
		}
	}
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, &form)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	resp, err := s.c.files.Do(req)
	if err != nil {
		return fmt.Errorf("upload %s: %w", name, err)
	}
	if resp.StatusCode/100 != 2 {
		err = refuse("upload %s: status %d", name, resp.StatusCode)
	}
	return errors.Join(err, resp.Body.Close())
}

// fileTries is how often a file that was handed over is looked at before it
// counts as lost: the shop works on it for a while.
const fileTries = 30

func (s *shop) doFile(ctx context.Context, op rest.Op) (rest.Result, error) {
	switch op.Do {
	case rest.DoDelete:
		return s.remove(ctx, "file_delete", op)
	case rest.DoUpdate:
		in := map[string]any{"id": op.ID, "alt": op.Record["alt"]}
		_, err := s.mutate(ctx, "file_update", map[string]any{"files": []any{in}})
		return rest.Result{ID: op.ID}, err
	}
	in := pick(op.Record, "alt")
	if err := s.newMedium(ctx, op, op.Full, in); err != nil {
		return rest.Result{}, err
	}
	answer, err := s.mutate(ctx, "file_create", map[string]any{"files": []any{in}})
	if err != nil {
		return rest.Result{}, err
	}
	made := listOf(answer["files"])
	if len(made) != 1 {
		return rest.Result{}, app.Errorf(app.CodeShopAnswer, "shopify: make file", "%d files of one", len(made))
	}
	id, _ := made[0]["id"].(string)
	return rest.Result{ID: id}, s.fileReady(ctx, id)
}

// fileReady waits until the shop has worked through a file.
func (s *shop) fileReady(ctx context.Context, id string) error {
	for range fileTries {
		found, err := s.nodes(ctx, s.l["file_state"], []string{id})
		if err != nil {
			return err
		}
		switch st, _ := found[id]["fileStatus"].(string); st {
		case "READY":
			return nil
		case "FAILED":
			return refuse("the shop could not use the file %s", id)
		}
		if err := s.c.meter.sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil // it is there, and the shop is still at it
}
