"""Pre-training under Dagster removes what trainings that were given up have left, and says so."""

import os

from hier_dag.train.lock import held


def test_the_next_pretraining_removes_old_checkpoints_and_its_log_says_so(own, pretrain_again):
    left = own.home.checkpoints / "0123abcd"
    held(left).close()
    for path in (left / ".lock", left):
        os.utime(path, (0, 0))
    result = pretrain_again(seed=own.config.stages.pretrain.seed + 1)
    assert result.success
    assert not left.exists()
    said = [record.user_message for record in own.instance().all_logs(result.run_id)]
    (told,) = [text for text in said if "0123abcd" in text]
    assert "nothing saved for 14 days (trainer.keep_unfinished_days)" in told
