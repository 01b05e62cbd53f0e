import logging

from ftaug.engine.system.run_log import start_logging, stop_logging


def test_names_of_files_cannot_steer_the_terminal(tmp_path, capsys):
    handlers = start_logging(tmp_path / "train.log")
    logging.getLogger("ftaug").warning("%s: is damaged", "\x1b[2J")
    stop_logging(handlers)
    assert capsys.readouterr().err == "\\x1b[2J: is damaged\n"
    assert "is damaged" in (tmp_path / "train.log").read_text()


def test_a_link_is_not_followed(tmp_path, capsys):
    (tmp_path / "train.log").symlink_to(tmp_path / "outside")
    handlers = start_logging(tmp_path / "train.log")
    try:
        logging.getLogger("ftaug").warning("hello")
    except Exception as error:
        assert "is not a regular file" in str(error)
    stop_logging(handlers)
    assert not (tmp_path / "outside").exists()
