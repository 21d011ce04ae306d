package batch

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// inOrder does n pieces of work side by side and hands each result on in the order of the pieces, one at a time. At
// most `most` pieces are between their beginning and the end of handing them on, which bounds the memory that results
// take while an earlier one is not there yet. The first error of work or each ends everything and is returned; work's
// context has ended by then.
func inOrder[T any](
	ctx context.Context, n, most int, work func(ctx context.Context, i int) (T, error), each func(T) error,
) error {
	group, ctx := errgroup.WithContext(ctx)
	begun := make(chan chan T, most) // results to come, in order
	slots := make(chan struct{}, most)
	group.Go(func() error {
		defer close(begun)
		for i := range n {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			result := make(chan T, 1)
			begun <- result // as long as there is a slot there is room
			group.Go(func() error {
				r, err := work(ctx, i)
				if err == nil {
					result <- r
				}
				return err
			})
		}
		return nil
	})
	group.Go(func() error {
		for result := range begun {
			select {
			case r := <-result:
				if err := each(r); err != nil {
					return err
				}
				<-slots
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}
